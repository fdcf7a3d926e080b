/**
 * What the compiler makes of a source file. Nothing here runs: `npx tsc --noEmit -p .` (the gate's step `types`) fails
 * where a type is another than expected, and where a line marked `@ts-expect-error` would compile.
 */
import {
  boolean,
  type Day,
  type Decimal,
  date,
  decimal,
  defineSource,
  type Instant,
  integer,
  json,
  list,
  object,
  ours,
  type Row,
  type Source,
  text,
  timestamp,
} from '../../core/firn.ts';
import type { AnySource } from '../../core/source/source.ts';

/** True only for the very same type, optional and readonly members included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | undefined {
  return undefined;
}
type RecordOf<S> = S extends Source<infer R> ? R : never;

const orders = defineSource({
  from: { bucket: ours('orders'), prefix: 'lisbon/' },
  entity: 'order',
  key: ['orderId', 'line'],
  version: 'updatedAt',
  fields: {
    orderId: text('order_no'),
    line: integer({ first: ['line', 'position'] }),
    total: decimal('amount', { optional: true }),
    tax: decimal('tax', { optional: true, default: '0' }),
    status: text('state', { oneOf: ['open', 'paid'], map: { cxl: 'open' } }),
    channel: text('channel', { oneOf: ['web', 'shop'], optional: true }),
    currency: text({ constant: 'EUR' }, { default: 'EUR' }),
    gift: boolean('gift', { default: false }),
    day: date('day', { optional: true }),
    updatedAt: timestamp('updated'),
    lines: list(object({ sku: text(), price: decimal('p', { optional: true }) }), { from: 'items' }),
    tags: list(text(), { optional: true }),
    address: object({ city: text() }, { optional: true }),
    count: integer('n', { optional: true, default: 1n }),
  },
});

holds<
  Same<
    RecordOf<typeof orders>,
    {
      readonly entity: 'order';
      readonly payload: {
        readonly orderId: string;
        readonly line: bigint;
        readonly total: Decimal | null;
        readonly tax: Decimal;
        readonly status: 'open' | 'paid';
        readonly channel: 'web' | 'shop' | null;
        readonly currency: string;
        readonly gift: boolean;
        readonly day: Day | null;
        readonly updatedAt: Instant;
        readonly lines: readonly { readonly sku: string; readonly price: Decimal | null }[];
        readonly tags: readonly string[] | null;
        readonly address: { readonly city: string } | null;
        readonly count: bigint;
      };
    }
  >
>();
// The check itself can fail.
// @ts-expect-error: a record type that lacks every field
holds<Same<RecordOf<typeof orders>, { readonly entity: 'order'; readonly payload: Record<never, never> }>>();

const anySource: AnySource = orders;
const registry: readonly AnySource[] = [orders, anySource];
void registry;

const from = { bucket: 'b' };
const fields = { id: text(), at: timestamp(), on: date(), n: integer(), price: decimal(), any: json(), yes: boolean() };

// A key and a version are names of fields; a version has to be something that has an order.
defineSource({ from, entity: 'e', fields, key: 'id' });
defineSource({ from, entity: 'e', fields, key: ['id', 'n'], version: 'at' });
defineSource({ from, entity: 'e', fields, version: 'on' });
defineSource({ from, entity: 'e', fields, version: 'n' });
// @ts-expect-error: no such field
defineSource({ from, entity: 'e', fields, key: 'ID' });
// @ts-expect-error: no such field in a list of them
defineSource({ from, entity: 'e', fields, key: ['id', 'nn'] });
// @ts-expect-error: no such field
defineSource({ from, entity: 'e', fields, version: 'updatedAt' });
// @ts-expect-error: a text has no order that means anything
defineSource({ from, entity: 'e', fields, version: 'id' });
// @ts-expect-error: a decimal is no version
defineSource({ from, entity: 'e', fields, version: 'price' });

// Each misspelt option is an error where it stands.
defineSource({
  from,
  entity: 'e',
  fields,
  // @ts-expect-error: versions
  versions: 'at',
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: prefixes
    prefixes: 'a/',
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    account: '222233334444',
    role: { arn: 'arn:aws:iam::222233334444:role/reader', externalId: 'agreed' },
    exclude: ['**/*.tmp'],
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: a role without the id that keeps others from using it through us
    role: { arn: 'arn:aws:iam::222233334444:role/reader' },
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: requesterPay
    requesterPay: true,
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: accounts begin with zeros, too
    account: 222233334444,
  },
  entity: 'e',
  fields,
});
defineSource({ from: { bucket: 'b', poll: {}, complete: { marker: '_SUCCESS' } }, entity: 'e', fields });
defineSource({
  from: {
    bucket: 'b',
    poll: { everyMinutes: 60, listCalls: 10, since: '2026-01-31' },
    complete: { manifest: 'manifest.json', files: 'entries[].url' },
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: everyMinute
    poll: { everyMinute: 60 },
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: markers
    complete: { markers: '_SUCCESS' },
  },
  entity: 'e',
  fields,
});
defineSource({
  from: {
    bucket: 'b',
    // @ts-expect-error: a marker lists no files
    complete: { marker: '_SUCCESS', files: 'files[]' },
  },
  entity: 'e',
  fields,
});
// @ts-expect-error: no entity
defineSource({ from, fields });
// @ts-expect-error: no fields
defineSource({ from, entity: 'e' });
// @ts-expect-error: an unknown way to keep rows
defineSource({ from, entity: 'e', fields, keep: 'newest' });
// @ts-expect-error: a field is not a path
defineSource({ from, entity: 'e', fields: { id: 'id' } });

// @ts-expect-error: optinal
text('a', { optinal: true });
// @ts-expect-error: oneof
text('a', { oneof: ['a'] });
// @ts-expect-error: a bigint pattern
text('a', { pattern: 5n });
// @ts-expect-error: minimum
integer('a', { minimum: 1n });
// @ts-expect-error: bounds are bigints, so that they are exact
integer('a', { min: 1 });
// @ts-expect-error: a default that is no integer
integer('a', { default: '1' });
// @ts-expect-error: a number would have lost digits already
decimal('a', { default: 0.5 });
decimal('a', { grouped: true });
// @ts-expect-error: commas
decimal('a', { commas: true });
// @ts-expect-error: true and false are no texts
boolean('a', { default: 'yes' });
// @ts-expect-error: formats
date('a', { formats: 'dd.MM.yyyy' });
date('a', { format: ['dd.MM.yyyy', 'yyyy/MM/dd'] });
timestamp('a', { format: 'dd.MM.yyyy HH:mm', zone: 'Europe/Lisbon' });
// @ts-expect-error: zones
timestamp('a', { zones: 'Europe/Lisbon' });
// @ts-expect-error: a day has no zone
date('a', { zone: 'Europe/Lisbon' });
// @ts-expect-error: an unknown unit
timestamp('a', { unit: 'seconds' });
// @ts-expect-error: any JSON has no default
json('a', { default: '{}' });
// @ts-expect-error: form
list(text(), { form: 'a' });
// @ts-expect-error: a list is of a field
list('text');
// @ts-expect-error: optional is true or false
object({ a: text() }, { optional: 'yes' });
// @ts-expect-error: constants are texts
text({ constant: 5 });
// @ts-expect-error: a file has a key and a time, no size
text({ file: 'size' });
// @ts-expect-error: frist
text({ frist: ['a'] });

// A default has to be one of the values that are allowed, and a spelling has to stand for one.
text('a', { oneOf: ['x', 'y'], default: 'x', map: { z: 'y' } });
// @ts-expect-error: a default that is not allowed
text('a', { oneOf: ['x', 'y'], default: 'z' });
// @ts-expect-error: a spelling that stands for nothing
text('a', { oneOf: ['x', 'y'], map: { z: 'why' } });
const mapped = text('a', { map: { z: 'y' } });
holds<Same<typeof mapped.value, string | undefined>>();

// transform sees a row whose members are unknown, and returns rows.
defineSource({
  from,
  entity: 'e',
  fields,
  transform: (row) => (row['test'] === true ? null : [row, { ...row, n: 1 }]),
});
defineSource({
  from,
  entity: 'e',
  fields,
  transform: (row) => {
    holds<Same<typeof row, Row>>();
    // @ts-expect-error: unknown has no members
    row['a'].b;
    return row;
  },
});
// @ts-expect-error: a transform cannot wait
defineSource({ from, entity: 'e', fields, transform: async (row) => row });
// @ts-expect-error: a text is no row
defineSource({ from, entity: 'e', fields, transform: () => 'row' });

/** What a source file imports: `from 'firn'`. */
export { csv } from './decode/csv.ts';
export { fixedWidth } from './decode/fixed-width.ts';
export { json as jsonDocument } from './decode/json.ts';
export { ndjson } from './decode/ndjson.ts';
export { boolean } from './fields/boolean.ts';
export { type Day, date } from './fields/date.ts';
export { type Decimal, decimal } from './fields/decimal.ts';
export type { Field, Fields, From, Path, RecordOf } from './fields/field.ts';
export { integer } from './fields/integer.ts';
export { type Json, json } from './fields/json.ts';
export { list } from './fields/list.ts';
export { object } from './fields/object.ts';
export { text } from './fields/text.ts';
export { type Instant, timestamp } from './fields/timestamp.ts';
export { defineSource, type Origin, ours, type Row, type Source } from './source/source.ts';

import { boolean } from './boolean.ts';
import { date } from './date.ts';
import { decimal } from './decimal.ts';
import type { Field, Fields, From } from './field.ts';
import type { Inferred, InferredField } from './inferred.ts';
import { integer } from './integer.ts';
import { json } from './json.ts';
import { list } from './list.ts';
import { object } from './object.ts';
import { text } from './text.ts';
import { timestamp } from './timestamp.ts';

/** The fields themselves, as a source file would declare them. */
export function buildFields(inferred: readonly InferredField[]): Fields {
  return Object.fromEntries(inferred.map((field) => [field.name, buildField(field, field.from, field.optional)]));
}

const scalars = { text, integer, decimal, boolean, date, timestamp, json };

/** One of them; the element of a list has no path. */
export function buildField(inferred: Inferred, from?: From, optional = false): Field<unknown> {
  const { kind, options, of, fields } = inferred;
  const where = from === undefined ? {} : { from };
  if (kind === 'list') return list(of ? buildField(of, undefined, of.optional) : json(), { ...where, optional });
  if (kind === 'object') return object(buildFields(fields ?? []), { ...where, optional });
  const make = scalars[kind] as (from?: From, options?: object) => Field<unknown>;
  return make(from, { ...options, optional });
}

import { canonicalDecimal } from '../fields/number-text.ts';

/** A DynamoDB JSON attribute value, as stream records carry it. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly B?: string;
  readonly L?: readonly AttributeValue[];
  readonly M?: Readonly<Record<string, AttributeValue>>;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
}

/** An attribute value as JSON text. Numbers keep every digit and have no exponent: Snowflake reads one as a double. */
export function jsonText(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return numberText(value.N);
  if (value.BOOL !== undefined) return value.BOOL ? 'true' : 'false';
  if (value.M !== undefined) return mapText(value.M);
  if (value.L !== undefined) return `[${value.L.map(jsonText).join(',')}]`;
  if (value.NULL) return 'null';
  if (value.B !== undefined) return JSON.stringify(value.B);
  if (value.NS) return `[${value.NS.map(numberText).join(',')}]`;
  return JSON.stringify(value.SS ?? value.BS ?? null);
}

function mapText(members: Readonly<Record<string, AttributeValue>>): string {
  let text = '';
  for (const name in members) {
    const value = members[name];
    if (value) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${jsonText(value)}`;
  }
  return `{${text}}`;
}

const plain = /^-?\d+(?:\.\d+)?$/;

function numberText(text: string): string {
  if (plain.test(text)) return text;
  const canonical = canonicalDecimal(text);
  // More digits than any target holds: only somebody's own edit of the table can be so; as text nothing is lost.
  return canonical === undefined || canonical === 'tooLong' ? JSON.stringify(text) : canonical;
}

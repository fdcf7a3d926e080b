/** Equality as DynamoDB sees it: a write that leaves an item equal to what it was writes no stream record. */
import type { AttributeValue } from 'aws-lambda';
import type { Item } from './dynalite.ts';

/** True when both have the same attributes with the same values, in any order. Numbers must be in canonical form. */
export function sameItem(one: Item, other: Item): boolean {
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => sameValue(one[name], other[name]));
}

function sameValue(one: AttributeValue | undefined, other: AttributeValue | undefined): boolean {
  if (!one || !other) return false;
  const [type, value] = Object.entries(one)[0] ?? [];
  const against: unknown = (other as Record<string, unknown>)[type ?? ''];
  switch (type) {
    case 'L':
      return sameList(value, against as AttributeValue[] | undefined);
    case 'M':
      return against !== undefined && sameItem(value, against as Item);
    case 'SS':
    case 'NS':
    case 'BS':
      return sameSet(value, against as string[] | undefined);
    default:
      return value === against;
  }
}

function sameList(one: readonly AttributeValue[], other: readonly AttributeValue[] | undefined): boolean {
  return one.length === other?.length && one.every((value, index) => sameValue(value, other[index]));
}

function sameSet(one: readonly string[], other: readonly string[] | undefined): boolean {
  if (one.length !== other?.length) return false;
  const members = new Set(other);
  return one.every((member) => members.has(member));
}

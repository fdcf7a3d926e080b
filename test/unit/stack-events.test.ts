import { describe, expect, test } from 'vitest';
import { compilePattern, FILTER_OPERATORS } from '../../local/events.ts';

const EVENT = {
  source: 'aws.s3',
  'detail-type': 'Object Created',
  resources: ['arn:aws:s3:::acme', 'arn:aws:s3:::other'],
  detail: { bucket: { name: 'acme' }, object: { key: 'orders/2026/a.csv', size: 12 }, reason: null },
};

describe('event patterns', () => {
  test.each([
    ['one of the values', { source: ['aws.ec2', 'aws.s3'] }, true],
    ['none of the values', { source: ['aws.ec2'] }, false],
    ['all fields', { source: ['aws.s3'], detail: { bucket: { name: ['acme'] } } }, true],
    ['one field that differs', { source: ['aws.s3'], detail: { bucket: { name: ['b'] } } }, false],
    ['an element of a list', { resources: ['arn:aws:s3:::other'] }, true],
    ['null', { detail: { reason: [null] } }, true],
    ['a prefix', { detail: { object: { key: [{ prefix: 'orders/' }] } } }, true],
    ['another prefix', { detail: { object: { key: [{ prefix: 'order/' }] } } }, false],
    ['a suffix', { detail: { object: { key: [{ suffix: '.csv' }] } } }, true],
    ['a wildcard', { detail: { object: { key: [{ wildcard: 'orders/*.csv' }] } } }, true],
    ['a wildcard takes dots literally', { detail: { object: { key: [{ wildcard: 'orders/*acsv' }] } } }, false],
    ['letters of another case', { detail: { bucket: { name: [{ 'equals-ignore-case': 'ACME' }] } } }, true],
    ['anything but a value', { detail: { bucket: { name: [{ 'anything-but': 'acme' }] } } }, false],
    ['anything but a list', { detail: { bucket: { name: [{ 'anything-but': ['a', 'b'] }] } } }, true],
    ['anything but a prefix', { detail: { bucket: { name: [{ 'anything-but': { prefix: 'ac' } }] } } }, false],
    ['anything but, where nothing is', { detail: { nothing: [{ 'anything-but': 'x' }] } }, false],
    ['a range', { detail: { object: { size: [{ numeric: ['>', 10, '<=', 12] }] } } }, true],
    ['outside a range', { detail: { object: { size: [{ numeric: ['<', 12] }] } } }, false],
    ['existence', { detail: { reason: [{ exists: true }] } }, true],
    ['absence', { detail: { nothing: [{ exists: false }] } }, true],
    ['absence of what is there', { source: [{ exists: false }] }, false],
    ['$or, second branch', { $or: [{ source: ['x'] }, { detail: { bucket: { name: ['acme'] } } }] }, true],
    ['$or, no branch', { $or: [{ source: ['x'] }, { source: ['y'] }] }, false],
  ])('%s', (_, pattern, expected) => {
    expect(compilePattern(pattern)(EVENT)).toBe(expected);
  });

  test.each([
    ['an unknown operator', { a: [{ cidr: '10.0.0.0/8' }] }, /operator "cidr" at "a"/],
    ['a value outside a list', { a: 'x' }, /"a" must be a list/],
    ['no alternative', { a: [] }, /can never match/],
    ['two operators in one', { a: [{ prefix: 'x', suffix: 'y' }] }, /exactly one operator/],
    ['an empty pattern', {}, /is empty/],
    ['half a range', { a: [{ numeric: ['>'] }] }, /takes pairs/],
  ])('%s is refused', (_, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });

  test('a stream filter takes the key prefix and refuses what numbers in a stream cannot match', () => {
    const passes = compilePattern({ dynamodb: { Keys: { pk: { S: [{ prefix: 'R#' }] } } } }, FILTER_OPERATORS);
    expect(passes({ dynamodb: { Keys: { pk: { S: 'R#order#1' } } } })).toBe(true);
    expect(passes({ dynamodb: { Keys: { pk: { S: 'U#1' } } } })).toBe(false);
    expect(() => compilePattern({ a: [{ numeric: ['>', 1] }] }, FILTER_OPERATORS)).toThrow('"numeric" at "a"');
  });
});

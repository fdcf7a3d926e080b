import { describe, expect, it } from 'vitest';
import { compileGlob, matchesEverything } from '../../core/source/glob.ts';

describe('a pattern of keys', () => {
  it.each([
    ['in/*.bak', 'in/a.bak', true],
    ['in/*.bak', 'in/deep/a.bak', false],
    ['in/**.bak', 'in/deep/a.bak', true],
    ['**/tmp/**', 'in/tmp/a', true],
    ['**/tmp/**', 'tmp/a', false],
    ['in/?.csv', 'in/a.csv', true],
    ['in/?.csv', 'in/é.csv', true],
    ['in/?.csv', 'in/😀.csv', true],
    ['in/?.csv', 'in/ab.csv', false],
    ['in/a.csv', 'in/a.csv', true],
    ['in/a.csv', 'in/aXcsv', false],
    ['in/(1)+[2]{3}^$|\\.csv', 'in/(1)+[2]{3}^$|\\.csv', true],
    ['*', 'a\nb', true],
    ['*', '', true],
    ['in', 'in/a', false],
  ])('%s against %s: %s', (pattern, key, matches) => expect(compileGlob(pattern)(key)).toBe(matches));

  it.each([
    ['**', '', '', true],
    ['***', 'in/', '', true],
    ['in/**', 'in/day/', '', true],
    ['*/**', 'in/day/', '', true],
    ['**.csv', 'in/', '.csv', true],
    ['**sv', 'in/', '.csv', true],
    ['in/**', 'i', '', false],
    ['*', 'in/', '', false],
    ['out/**', 'in/', '', false],
    ['**.csv', 'in/', '', false],
  ])('%s takes every key under %s that ends in "%s": %s', (pattern, prefix, suffix, all) =>
    expect(matchesEverything(pattern, prefix, suffix)).toBe(all),
  );
});

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { announcersOf, deliveryPrefix, isAnnouncer } from '../../core/origin/announcer.ts';
import { filesPath, largestManifestBytes, readDelivery } from '../../core/origin/delivery.ts';
import { arrivalProblems } from '../../core/source/check-arrival.ts';
import { type Complete, type Origin, ours } from '../../core/source/source.ts';

const markedBy = (marker: string, prefix = '') => ({ prefix, complete: { marker } });

describe('a marker', () => {
  test('of a folder speaks for it and the folders below, within the prefix', () => {
    const from = markedBy('_SUCCESS', 'in/');
    expect(announcersOf(from, 'in/day=1/hour=2/part.csv')).toEqual([
      'in/day=1/hour=2/_SUCCESS',
      'in/day=1/_SUCCESS',
      'in/_SUCCESS',
    ]);
    expect(announcersOf(markedBy('_SUCCESS'), 'a.csv')).toEqual(['_SUCCESS']);
    expect(isAnnouncer(from, 'in/day=1/_SUCCESS')).toBe(true);
    expect(isAnnouncer(from, 'in/day=1/_SUCCESS.csv')).toBe(false);
    expect(deliveryPrefix(from, 'in/day=1/_SUCCESS')).toBe('in/day=1/');
  });

  test('of a folder is looked for in each folder once, whatever slashes the key has', () => {
    expect(announcersOf(markedBy('_SUCCESS'), '/in/a.csv')).toEqual(['/in/_SUCCESS', '/_SUCCESS', '_SUCCESS']);
    expect(announcersOf(markedBy('_SUCCESS'), '/a.csv')).toEqual(['/_SUCCESS', '_SUCCESS']);
    expect(announcersOf(markedBy('_SUCCESS'), '//a')).toEqual(['//_SUCCESS', '/_SUCCESS', '_SUCCESS']);
    expect(announcersOf(markedBy('_SUCCESS', '/'), '/in/a.csv')).toEqual(['/in/_SUCCESS', '/_SUCCESS']);
  });

  test.each([
    ['{name}.done', 'in/a.csv', 'in/a.csv.done', 'in/a.csv'],
    ['{stem}.ok', 'in/a.b.csv', 'in/a.b.ok', 'in/a.b'],
    ['ready-{name}', 'in/a.csv', 'in/ready-a.csv', 'in/a.csv'],
    ['{stem}.ok', 'in/.hidden', 'in/.hidden.ok', 'in/.hidden'],
    ['{name}.done', 'in/$&$1.csv', 'in/$&$1.csv.done', 'in/$&$1.csv'],
  ])('of one object, %s, is found for it and finds it', (marker, key, announcer, prefix) => {
    const from = markedBy(marker, 'in/');
    expect(announcersOf(from, key)).toEqual([announcer]);
    expect(isAnnouncer(from, announcer)).toBe(true);
    expect(isAnnouncer(from, key)).toBe(false);
    expect(deliveryPrefix(from, announcer)).toBe(prefix);
  });

  test('of one object needs a name to carry', () => {
    expect(isAnnouncer(markedBy('{name}.done'), 'in/.done')).toBe(false);
  });
});

describe('a manifest', () => {
  const read = async (body: string | Uint8Array, files?: string, sizeBytes?: number) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const found = {
      bucket: 'b',
      key: 'in/day=1/m.json',
      etag: 'e',
      sizeBytes: sizeBytes ?? bytes.length,
      lastModifiedMs: 0,
    };
    const store = { read: async (_found: unknown, first: number, last: number) => bytes.subarray(first, last + 1) };
    const delivery = await readDelivery(
      store,
      found,
      files === undefined ? { manifest: 'm' } : { manifest: 'm', files },
    );
    return 'keys' in delivery ? [...delivery.keys] : delivery.problem;
  };

  test('lists names, keys and addresses', async () => {
    const names = [
      'a.csv',
      './b.csv',
      'deep/c.csv',
      'in/day=1/d.csv',
      '/in/e.csv',
      's3://b/in/f.csv',
      's3://other/g.csv',
    ];
    const keys = ['in/day=1/a.csv', 'in/day=1/b.csv', 'in/day=1/deep/c.csv', 'in/day=1/d.csv', 'in/e.csv', 'in/f.csv'];
    expect(await read(JSON.stringify(names), '[]')).toEqual([...keys, 's3://other/g.csv']);
    expect(await read(`﻿# made by hand\r\n\r\n${names.join('\r\n')}\r\n`)).toEqual([...keys, 's3://other/g.csv']);
  });

  test.each([
    ['entries[].url', { entries: [{ url: 'a' }, { url: 'b' }] }],
    ['files[]', { files: ['a', 'b'] }],
    ['deliveries[].files[].name', { deliveries: [{ files: [{ name: 'a' }] }, { files: [{ name: 'b' }] }] }],
    ['file names[]', { 'file names': ['a', 'b'] }],
  ])('lists what lies under %s', async (path, content) => {
    expect(await read(JSON.stringify(content), path)).toEqual(['in/day=1/a', 'in/day=1/b']);
  });

  test('may list nothing', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('{"files":[]}', 'files[]')).toEqual([]);
  });

  test.each([
    ['no JSON', '{"entries":', /in\/day=1\/m\.json is no JSON$/],
    ['no list', '{"entries":{"url":"a"}}', /has no list where/],
    ['no entries', '{}', /has no list where/],
    ['null', 'null', /has no list where/],
    ['no text', '{"entries":[{"url":1}]}', /does not have a text everywhere/],
    ['an entry without it', '{"entries":[{"url":"a"},{}]}', /does not have a text everywhere/],
    ['bytes of something else', Uint8Array.of(0x1f, 0x8b, 0, 0xff), /is no UTF-8 text/],
  ])('with %s is waited for until it can be read, and shows nothing of itself', async (_what, body, reason) => {
    const problem = await read(body, 'entries[].url');
    expect(problem).toMatch(reason);
    expect(problem).toMatch(/^waits for a readable manifest: s3:\/\/b\//);
  });

  test.each([undefined, '[]'])(
    'that is compressed is waited for, not taken for one that lists nothing',
    async (files) => {
      expect(await read(gzipSync('a.csv\n'), files)).toMatch(/^waits for a readable manifest: .* is no UTF-8 text$/);
    },
  );

  test('that is too large is not read', async () => {
    expect(await read('', '[]', largestManifestBytes + 1)).toMatch(/larger than 33554432 bytes/);
  });

  test('is read under paths and nothing else', () => {
    for (const path of ['', 'a.', '.a', 'a[', 'a[0]', 'a..b', '[].', 'a[]b'])
      expect(filesPath(path), path).toBeUndefined();
  });
});

describe('checks of a source', () => {
  const problems = (more: Partial<Origin>) => arrivalProblems({ bucket: 'theirs', ...more }).join('; ');

  test('say nothing of what is right', () => {
    for (const complete of [
      { marker: '_SUCCESS' },
      { marker: '{name}.done' },
      { manifest: 'files.txt' },
      { manifest: 'm.json', files: 'entries[].url' },
    ])
      expect(problems({ complete, prefix: 'in/', poll: { since: '2026-01-31T12:00:00Z', everyMinutes: 5 } })).toBe('');
    expect(problems({ complete: { marker: '{stem}.ok' }, prefix: 'in/day-' })).toBe('');
    expect(problems({ complete: { marker: '{name}.ok' }, prefix: 'in/day.' })).toBe('');
    expect(problems({ complete: { marker: 'ready-{name}' } })).toBe('');
    expect(problems({})).toBe('');
  });

  test.each([
    [{ bucket: ours('feeds'), poll: {} }, /leave poll out/],
    [{ poll: { everyMinutes: 1 } }, /5 to 1440/],
    [{ poll: { everyMinutes: 7.5 } }, /5 to 1440/],
    [{ poll: { listCalls: 0 } }, /1 to 5000/],
    [{ poll: { since: '31.01.2026' } }, /write it like 2026-01-31/],
    [{ poll: { since: '2026-02-31T99:00:00Z' } }, /no day or instant/],
    [{ complete: { marker: '' } }, /no name/],
    [{ complete: { marker: 'done/_SUCCESS' } }, /no name/],
    [{ complete: { marker: '{name}' } }, /every name/],
    [{ complete: { marker: '{name}{stem}.done' } }, /more than one placeholder/],
    [{ complete: { marker: '{base}.done' } }, /\{name\} and \{stem\}/],
    [{ complete: { manifest: '{name}.json' } }, /\{name\} and \{stem\}/],
    [{ complete: { marker: '_SUCCESS' }, prefix: 'in/day-' }, /end the prefix 'in\/day-' with '\/'/],
    [{ complete: { marker: 'ready-{name}' }, prefix: 'in/day-' }, /outside the prefix 'in\/day-'/],
    [{ complete: { marker: '{stem}.ok' }, prefix: 'in/day.c' }, /outside the prefix 'in\/day.c'/],
    [{ complete: { manifest: 'm.json', files: 'a[0]' } }, /no path/],
    [{ complete: { marker: 'a', manifest: 'b' } as Complete }, /leave one of them out/],
  ] satisfies [Partial<Origin>, RegExp][])('name what is wrong in %j', (more, expected) => {
    expect(problems(more)).toMatch(expected);
  });
});

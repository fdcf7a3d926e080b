import { describe, expect, it } from 'vitest';
import { dayOf, landingKey, parseLandingKey, safeBaseName } from '../../core/upload/landing-key.ts';
import { landingMetadata, parseLandingMetadata } from '../../core/upload/landing-metadata.ts';

const uploadId = 'abcdefghijklmnopqrstuvwx27';

describe('the safe base name of a key', () => {
  it.each([
    ['orders/2026-03-01.csv.gz', '2026-03-01.csv.gz'],
    ['no-folder_1.json', 'no-folder_1.json'],
    ['folder/', 'folder'],
    ['a//b///', 'b'],
    ['encomendas/março 1.csv', 'mar_o_1.csv'],
    ['mac/març\u0327o.csv', 'mar__o.csv'],
    ['日本/注文.csv', '__.csv'],
    ['x/\u{1f600}.csv', '__.csv'],
    ['a?b=c&d#e%20"', 'a_b_c_d_e_20_'],
    ['', 'object'],
    ['///', 'object'],
    ['a/.', 'object.'],
    ['a/..', 'object..'],
    ['a/.hidden', '.hidden'],
  ])('%j is %s', (key, name) => expect(safeBaseName(key)).toBe(name));

  it('is the same for the two ways to write an accented letter', () =>
    expect(safeBaseName('mar\u00e7o.csv')).toBe(safeBaseName('marc\u0327o.csv')));

  it('keeps the end, where the extensions are, of a name that is too long', () => {
    const name = safeBaseName(`${'x'.repeat(500)}.ndjson.gz`);
    expect(name).toHaveLength(120);
    expect(name).toMatch(/x\.ndjson\.gz$/);
  });

  it('is short enough for a name of dots alone', () => expect(safeBaseName('.'.repeat(300))).toHaveLength(120));
});

describe('a landing key', () => {
  it('says source, day, upload and name', () => {
    const name = { sourceId: 'orders-lisbon', day: '2026-03-01', uploadId, baseName: 'a.csv' };
    const key = `landing/source=orders-lisbon/dt=2026-03-01/${uploadId}/a.csv`;
    expect(landingKey(name)).toBe(key);
    expect(parseLandingKey(key)).toEqual(name);
  });

  it.each([
    '',
    'landing/',
    `landing/source=Orders/dt=2026-03-01/${uploadId}/a.csv`,
    `landing/source=__proto__/dt=2026-03-01/${uploadId}/a.csv`,
    `landing/source=orders/dt=2026-3-1/${uploadId}/a.csv`,
    `landing/source=orders/dt=2026-03-01/${uploadId.slice(1)}/a.csv`,
    `landing/source=orders/dt=2026-03-01/${uploadId.toUpperCase()}/a.csv`,
    `landing/source=orders/dt=2026-03-01/${uploadId}/a/b.csv`,
    `landing/source=orders/dt=2026-03-01/${uploadId}/`,
    `landing/source=orders/dt=2026-03-01/${uploadId}/a b.csv`,
    `archive/source=orders/dt=2026-03-01/${uploadId}/a.zip`,
    `x/landing/source=orders/dt=2026-03-01/${uploadId}/a.csv`,
    `keys/${uploadId}/1/0000-0000.ndjson.gz`,
  ])('is not %j', (key) => expect(parseLandingKey(key)).toBeUndefined());
});

describe('the day of an instant', () => {
  it.each([
    [0, '1970-01-01'],
    [86_399_999, '1970-01-01'],
    [86_400_000, '1970-01-02'],
  ])('%i is %s in UTC', (ms, day) => expect(dayOf(ms)).toBe(day));
});

describe('the metadata of a landing object', () => {
  const object = {
    bucket: 'incoming',
    key: 'encomendas/março 日本 \u{1f600}.csv',
    versionId: 'v7',
    etag: '"abc-3"',
    sizeBytes: 5_000_000_000_000,
    lastModifiedMs: 1_772_359_200_000,
  };

  it('is ASCII and tells everything of the object again', () => {
    const metadata = landingMetadata({ sourceId: 'orders', object });
    expect(Object.entries(metadata).flat().join('')).toMatch(/^[\x20-\x7e]+$/);
    expect(parseLandingMetadata(metadata)).toEqual({ sourceId: 'orders', object: { ...object, etag: 'abc-3' } });
  });

  it('says nothing of a version where there is none', () => {
    const { versionId: _, ...plain } = object;
    const metadata = landingMetadata({ sourceId: 'orders', object: plain });
    expect(metadata).not.toHaveProperty('firn-version');
    expect(parseLandingMetadata(metadata)).toEqual({ sourceId: 'orders', object: { ...plain, etag: 'abc-3' } });
  });

  it('stays within the 2 KB of S3 for the longest key', () => {
    const metadata = landingMetadata({ sourceId: 's'.repeat(60), object: { ...object, key: 'ü'.repeat(512) } });
    expect(Object.entries(metadata).flat().join('').length).toBeLessThan(2048);
  });

  it.each(['firn-source', 'firn-bucket', 'firn-key', 'firn-etag', 'firn-size', 'firn-modified'])(
    'without %s was not written by Firn',
    (name) => {
      const { [name]: _, ...rest } = landingMetadata({ sourceId: 'orders', object });
      expect(parseLandingMetadata(rest)).toBeUndefined();
    },
  );

  it.each([
    ['firn-size', 'many'],
    ['firn-size', '1.5'],
    ['firn-modified', 'yesterday'],
  ])('whose %s is %s was not written by Firn', (name, value) =>
    expect(parseLandingMetadata({ ...landingMetadata({ sourceId: 'orders', object }), [name]: value })).toBeUndefined(),
  );
});

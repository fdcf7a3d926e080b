import type { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { onCondition } from '../../adapters/s3-copy.ts';
import { headObject } from '../../adapters/s3-head.ts';

const refusing = (name: string) => () =>
  Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 403 } }));

test.each(['InvalidObjectState', 'ObjectNotInActiveTierError'])(
  'a copy that S3 refuses as %s is of an object to be restored, not one that is denied',
  async (name) => {
    expect(await onCondition(refusing(name))).toBe('archived');
  },
);

test('any other refusal is thrown', async () => {
  await expect(onCondition(refusing('AccessDenied'))).rejects.toThrow('AccessDenied');
});

test.each([
  ['text/csv; charset=utf-8', 'text/csv; charset=utf-8'],
  ['text/csv; name=preços.csv', undefined],
])('of the content type %s a copy carries %s', async (ContentType, expected) => {
  const s3 = { send: async () => ({ ContentType, ETag: '"e"' }) } as unknown as S3Client;

  expect(await headObject(s3, { Bucket: 'b', Key: 'k' })).toMatchObject({ contentType: expected });
});

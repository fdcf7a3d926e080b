import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** A file that this load cannot read, and never will. */
export class UnreadableFile extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableFile';
  }
}

export interface StageFiles {
  /** The bytes of an object; throws UnreadableFile when it is gone, and anything else when trying again may help. */
  read(bucket: string, key: string): Promise<Uint8Array>;
  close(): void;
}

/** Reads staged files over the S3 API, as the access key `snowflake`. */
export function openStageFiles(s3: { readonly endpoint: string; readonly region: string }): StageFiles {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: 'snowflake', secretAccessKey: 'snowflake' },
    // The loader tries again on the embedded cloud's clock, not on the machine's.
    maxAttempts: 1,
  });
  return {
    async read(bucket, key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      } catch (error) {
        const name = error instanceof Error ? error.name : '';
        if (name === 'NoSuchKey' || name === 'NoSuchBucket' || name === 'AccessDenied')
          throw new UnreadableFile(`Remote file 's3://${bucket}/${key}' was not found or may not be read (${name}).`);
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}

const MAGIC: readonly (readonly [
  name: string,
  bytes: readonly number[],
  decode?: (bytes: Uint8Array) => Uint8Array,
])[] = [
  ['gzip', [0x1f, 0x8b], gunzipSync],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd], zstdDecompressSync],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/**
 * The text of a file: compression found from its first bytes (COMPRESSION = AUTO), byte order mark dropped, invalid
 * UTF-8 an error (Snowflake docs: COPY INTO <table>, format type options). Throws UnreadableFile.
 */
export function decodeFile(bytes: Uint8Array): string {
  const found = MAGIC.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte));
  if (found && !found[2])
    throw new UnreadableFile(`The Snowflake stand-in does not decompress ${found[0]}. Use gzip or zstd.`);
  const plain = decompress(bytes, found?.[2]);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new UnreadableFile('Invalid UTF8 detected in file');
  }
}

function decompress(bytes: Uint8Array, decode: ((bytes: Uint8Array) => Uint8Array) | undefined): Uint8Array {
  if (!decode) return bytes;
  try {
    return decode(bytes);
  } catch (error) {
    throw new UnreadableFile(`Invalid compressed data: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

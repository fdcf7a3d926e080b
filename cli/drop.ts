import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Pipeline } from '../local/pipeline.ts';
import { UsageError } from './usage-error.ts';

export interface DroppedFile {
  readonly source: string;
  readonly path: string;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Plans putting a folder's files into source buckets: the name of a sub-folder is the id of a source, a file's path
 * below it is its key below the source's prefix. Throws a UsageError that says all that does not fit.
 */
export async function planDrop(
  dir: string,
  pipeline: Pick<Pipeline, 'registry' | 'bucketOf'>,
): Promise<readonly DroppedFile[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => {
    throw new UsageError(`There is no folder ${dir}.`);
  });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const known = new Map(pipeline.registry.sources.map((each) => [each.id, each.source.config.from.prefix ?? '']));
  const unknown = folders.filter((folder) => !known.has(folder));
  if (unknown.length > 0 || folders.length === 0) {
    const what =
      folders.length === 0 ? 'has no sub-folders' : `has sub-folders that name no source: ${unknown.join(', ')}`;
    throw new UsageError(`${dir} ${what}. A sub-folder's name is the id of a source: ${[...known.keys()].join(', ')}.`);
  }
  const files: DroppedFile[] = [];
  for (const source of folders.sort()) {
    for (const path of await filesBelow(join(dir, source))) {
      const key = `${known.get(source) ?? ''}${relative(join(dir, source), path).split(sep).join('/')}`;
      files.push({ source, path, bucket: pipeline.bucketOf(source), key });
    }
  }
  return files;
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Puts one file into its bucket as its owner would, by the S3 API. */
export async function dropFile(pipeline: Pipeline, file: DroppedFile): Promise<void> {
  const { size } = await stat(file.path);
  const command = { Bucket: file.bucket, Key: file.key, Body: createReadStream(file.path), ContentLength: size };
  await pipeline.s3.send(new PutObjectCommand(command));
}

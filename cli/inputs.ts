import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { createSampleS3, findObjects, openObject, whyNot } from '../adapters/s3-samples.ts';
import { fileAccess } from '../adapters/spool.ts';
import type { ObjectBytes } from '../core/normalize/open.ts';
import type { TriedFile } from './try-rows.ts';
import { UsageError } from './usage-error.ts';

/** A file or an S3 object that a person names, not yet opened. */
export interface Input extends TriedFile {
  /** As the person would name it: a path or an s3:// address. */
  readonly shown: string;
  readonly name: string;
  /** Of a member, the archive that it lies in, as the person named it: only that can be named again. */
  readonly archive?: string;
  open(): Promise<OpenInput>;
}

export interface OpenInput extends ObjectBytes {
  close(): Promise<void>;
}

/** What a person named. */
export interface Inputs {
  /** Undefined for files. */
  readonly bucket: string | undefined;
  /** One file or object was named, not a folder or a prefix. */
  readonly isOne: boolean;
  readonly inputs: readonly Input[];
}

/** A file or S3 could not be read: told without a stack trace, exit code 1. */
export class UnreadableInput extends Error {}

/**
 * Finds a file, the files of a folder and those below it, an S3 object or the objects under a prefix, by name. Empty and
 * hidden ones, and those whose names begin with `_` as markers do, are left out of folders and prefixes.
 * Throws a UsageError when there is nothing, and UnreadableInput when S3 refuses.
 */
export async function findInputs(where: string): Promise<Inputs> {
  const url = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(where);
  if (url) return await findOnS3(url[1] ?? '', url[2] ?? '');
  const found = await stat(where).catch(() => undefined);
  if (found?.isFile()) return { bucket: undefined, isOne: true, inputs: [fileInput(where, basename(where), found)] };
  if (!found?.isDirectory()) throw new UsageError(`There is no file ${where}.`);
  const entries = await readdir(where, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const inputs: Input[] = [];
  for (const path of paths.sort()) {
    const key = relative(where, path).split(sep).join('/');
    if (isData(key)) inputs.push(fileInput(path, key, await stat(path)));
  }
  return { bucket: undefined, isOne: false, inputs: notEmpty(inputs, where) };
}

async function findOnS3(bucket: string, key: string): Promise<Inputs> {
  const s3 = createSampleS3();
  const shown = `s3://${bucket}/${key}`;
  const objects = await findObjects(s3, bucket, key).catch((error: unknown) => {
    throw new UnreadableInput(`${shown} cannot be read: ${whyNot(error)}.`);
  });
  const isOne = objects.length === 1 && objects[0]?.key === key;
  const inputs = objects
    .filter((each) => isOne || isData(each.key))
    .map((each) => ({
      shown: `s3://${bucket}/${each.key}`,
      bucket,
      key: each.key,
      name: basename(each.key),
      sizeBytes: each.sizeBytes,
      modifiedMs: each.lastModifiedMs,
      open: async () => ({ ...openObject(s3, bucket, each), close: async () => {} }),
    }));
  return { bucket, isOne, inputs: isOne ? inputs : notEmpty(inputs, shown) };
}

function isData(key: string): boolean {
  return !key.split('/').some((part) => part === '' || /^[._]/.test(part));
}

function notEmpty(inputs: readonly Input[], where: string): readonly Input[] {
  const filled = inputs.filter(({ sizeBytes }) => sizeBytes > 0);
  if (filled.length === 0) throw new UsageError(`There is no file with anything in it in ${where}.`);
  return filled;
}

function fileInput(path: string, key: string, found: { readonly size: number; readonly mtimeMs: number }): Input {
  const name = basename(path);
  return { shown: path, key, name, sizeBytes: found.size, modifiedMs: found.mtimeMs, open: () => openFile(path) };
}

async function openFile(path: string): Promise<OpenInput> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EACCES' ? 'you may not read it' : (error.code ?? error.message);
    throw new UnreadableInput(`${path} cannot be read: ${reason}.`);
  });
  const { size } = await handle.stat();
  // A stream of the handle's own would close it when it is let go of, and ranges are read after that.
  const body = createReadStream(path);
  const discard = () => void body.destroy();
  const close = async () => {
    discard();
    await handle.close();
  };
  return { ...fileAccess(handle, size), body, discard, close };
}

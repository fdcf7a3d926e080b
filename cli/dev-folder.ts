import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where `firn dev` has its data. */
export interface DevFolder {
  readonly dir: string;
  /** Deletes what is not to be kept. Synchronous, so that it also works on the way out of the process. */
  leave(): void;
}

/** A new folder that is deleted at the end, or one that is kept and belongs to one process at a time. */
export function takeFolder(keep: string | undefined): DevFolder {
  if (keep !== undefined) return takeKept(keep);
  const dir = mkdtempSync(join(tmpdir(), 'firn-dev-'));
  return { dir, leave: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Throws when the folder is in use. The lock of a process that is gone is taken over. */
function takeKept(dir: string): DevFolder {
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, 'lock');
  const owner = ownerOf(lock);
  if (owner !== undefined && isAlive(owner)) {
    throw new Error(
      `The folder ${dir} is in use by process ${owner}. End that, or keep this one's data elsewhere: --keep <dir>. ` +
        `If that process is no firn dev, delete ${lock}.`,
    );
  }
  writeFileSync(lock, String(process.pid));
  return { dir, leave: () => rmSync(lock, { force: true }) };
}

function ownerOf(lock: string): number | undefined {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

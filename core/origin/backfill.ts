import type { RegisteredSource } from '../source/registry.ts';
import type { Route } from '../source/routing.ts';
import { isAnnouncer } from './announcer.ts';
import { envelope } from './candidate.ts';
import { isFolder, type ListedObject, type Lister, listPages } from './listing.ts';
import { candidateOf } from './sweep.ts';

/** Which of the objects that lie there already are wanted. */
export interface Wanted {
  readonly source: RegisteredSource;
  readonly bucket: string;
  /** Starts with the source's own. */
  readonly prefix: string;
  /** Last modified at this time or later, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Last modified before this time. */
  readonly untilMs: number;
  /** At most so many objects, in the order of their keys. */
  readonly limit: number;
}

export interface BackfillPorts {
  readonly route: Route;
  readonly lister: Lister;
  /** Puts messages into the copy queue; undefined only looks. */
  readonly send: ((bodies: readonly string[]) => Promise<void>) | undefined;
}

/** What has been found and sent so far. */
export interface Backfilled {
  readonly objects: number;
  readonly bytes: number;
  readonly sent: number;
  /** The first few. */
  readonly first: readonly ListedObject[];
}

const shown = 5;

/**
 * Lists what a source would have been told of, had its events been sent, and sends it to copy a page at a time; yields
 * after each page. Copy lands what it has not landed yet, so a second time changes nothing, and one that broke off may be
 * begun again. Markers and manifests are left out: the objects of their deliveries look for them.
 */
export async function* backfill(wanted: Wanted, { route, lister, send }: BackfillPorts): AsyncGenerator<Backfilled> {
  const { source, bucket, prefix, sinceMs, untilMs, limit } = wanted;
  let done: Backfilled = { objects: 0, bytes: 0, sent: 0, first: [] };
  const isWanted = (object: ListedObject) => {
    if (isFolder(object) || object.lastModifiedMs < sinceMs || object.lastModifiedMs >= untilMs) return false;
    const routed = route(bucket, object.key);
    return typeof routed === 'object' && routed.id === source.id && !isAnnouncer(source.source.config.from, object.key);
  };
  for await (const { objects } of listPages(lister, bucket, prefix)) {
    const found = objects.filter(isWanted).slice(0, limit - done.objects);
    await send?.(found.map((each) => envelope(candidateOf(bucket, each))));
    done = {
      objects: done.objects + found.length,
      bytes: done.bytes + found.reduce((sum, each) => sum + each.sizeBytes, 0),
      sent: done.sent + (send ? found.length : 0),
      first: [...done.first, ...found].slice(0, shown),
    };
    yield done;
    if (done.objects >= limit) return;
  }
}

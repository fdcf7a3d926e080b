import { createGate, mapBounded } from '../bounded.ts';
import type { RegisteredSource } from '../source/registry.ts';
import type { Route } from '../source/routing.ts';
import type { CopyStore, ObjectFacts } from '../upload/copy.ts';
import { announcersOf, deliveryPrefix, isAnnouncer } from './announcer.ts';
import { envelope } from './candidate.ts';
import { type Delivery, readDelivery } from './delivery.ts';
import { isFolder, type Lister, listPages } from './listing.ts';
import { candidateOf } from './sweep.ts';

export interface DeliveryPorts {
  readonly route: Route;
  readonly storeFor: (source: RegisteredSource) => Pick<CopyStore, 'head' | 'read'> & Lister;
  /** Puts messages into the copy queue; resolves when all of them are there. */
  readonly sendToCopy: (bodies: readonly string[]) => Promise<void>;
}

/** What an object's delivery says of it; undefined: it is complete. */
export type Standing =
  /** What is missing. */
  | { readonly kind: 'waits'; readonly reason: string }
  /** The delivery is complete without it. */
  | { readonly kind: 'unlisted'; readonly reason: string }
  | undefined;

/** What a marker or a manifest set in motion. */
export interface Released {
  readonly sent: number;
  /** Of a manifest: what it lists and is not there, or why it cannot be read and its delivery waits on. */
  readonly notice?: string;
}

export interface Deliveries {
  /** Where an object of a source stands in its delivery. Asked anew each time the object is a candidate. */
  standing(registered: RegisteredSource, bucket: string, key: string): Promise<Standing>;
  /**
   * Sends to copy what an announcer speaks for, whatever source of the bucket claims it. What is put after this listing
   * finds the announcer by itself, so both orders of events are covered. Undefined when the announcer is gone again.
   */
  release(registered: RegisteredSource, bucket: string, announcer: string): Promise<Released | undefined>;
}

const shownMissing = 20;
const headsAtOnce = 4;
/** S3: of UTF-8. */
const longestKeyBytes = 1024;
/** Manifests that are kept: candidates of one delivery come side by side. */
const mostKept = 4;

/** The deliveries of all sources. Keeps the latest manifests it has read. */
export function openDeliveries(ports: DeliveryPorts): Deliveries {
  const read = manifestReader(ports);
  return {
    standing: (registered, bucket, key) => standing(registered, bucket, key, ports, read),
    release: (registered, bucket, announcer) => release(registered, bucket, announcer, ports, read),
  };
}

type Read = (registered: RegisteredSource, found: ObjectFacts) => Promise<Delivery | undefined>;

/** Reads what an announcer lists, once for each state of it; undefined for markers, which list nothing. */
function manifestReader({ storeFor }: DeliveryPorts): Read {
  const kept = new Map<string, Promise<Delivery>>();
  // A large one takes a multiple of its bytes while it is parsed, and a batch may bring candidates of ten deliveries.
  const inTurn = createGate(1);
  return async (registered, found) => {
    const { complete } = registered.source.config.from;
    if (complete?.manifest === undefined) return undefined;
    const { bucket, key, etag, lastModifiedMs, versionId = '' } = found;
    const name = [registered.id, bucket, key, etag, lastModifiedMs, versionId].join('\n');
    const known = kept.get(name);
    if (known) return known;
    const reading = inTurn(() => readDelivery(storeFor(registered), found, complete));
    kept.set(name, reading);
    for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest);
    // What cannot be read now may be readable the next time.
    const forget = () => void kept.delete(name);
    reading.then((delivery) => ('problem' in delivery ? forget() : undefined), forget);
    return reading;
  };
}

async function standing(
  registered: RegisteredSource,
  bucket: string,
  key: string,
  { storeFor }: DeliveryPorts,
  read: Read,
): Promise<Standing> {
  const announcers = announcersOf(registered.source.config.from, key);
  if (announcers.length === 0) return undefined;
  const store = storeFor(registered);
  // An object whose own key is about that long has announcers that nobody can put, and S3 refuses to look for them.
  const possible = announcers.filter((each) => Buffer.byteLength(each) <= longestKeyBytes);
  const heads = await mapBounded(possible, headsAtOnce, (each) => store.head(bucket, each));
  const there = heads.filter((found) => found !== undefined);
  let result: Standing = { kind: 'waits', reason: `waits for s3://${bucket}/${announcers[0]}` };
  for (const found of there) {
    const delivery = await read(registered, found);
    if (!delivery) return undefined;
    if ('problem' in delivery) return { kind: 'waits', reason: delivery.problem };
    if (delivery.keys.has(key)) return undefined;
    result = { kind: 'unlisted', reason: `s3://${bucket}/${found.key} does not list it` };
  }
  return result;
}

async function release(
  registered: RegisteredSource,
  bucket: string,
  announcer: string,
  { route, storeFor, sendToCopy }: DeliveryPorts,
  read: Read,
): Promise<Released | undefined> {
  const store = storeFor(registered);
  const found = await store.head(bucket, announcer);
  if (!found) return undefined;
  const delivery = await read(registered, found);
  if (delivery && 'problem' in delivery) return { sent: 0, notice: delivery.problem };
  const missing = new Set(delivery?.keys);
  const isSpokenFor = (key: string) => {
    const routed = route(bucket, key);
    if (typeof routed !== 'object' || isAnnouncer(routed.source.config.from, key)) return false;
    return announcersOf(routed.source.config.from, key).includes(announcer);
  };
  let sent = 0;
  const prefix = deliveryPrefix(registered.source.config.from, announcer);
  for await (const { objects } of listPages(store, bucket, prefix)) {
    for (const { key } of objects) missing.delete(key);
    // What a manifest does not list is sent, too: its candidate notes that, as it does when it comes late.
    const spokenFor = objects.filter((each) => !isFolder(each) && isSpokenFor(each.key));
    await sendToCopy(spokenFor.map((each) => envelope(candidateOf(bucket, each))));
    sent += spokenFor.length;
  }
  if (missing.size === 0) return { sent };
  const shown = [...missing].slice(0, shownMissing).join(', ');
  return {
    sent,
    notice: `lists ${missing.size} that are not there: ${shown}${missing.size > shownMissing ? ', …' : ''}`,
  };
}

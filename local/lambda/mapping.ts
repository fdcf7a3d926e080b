/** What an event source mapping does at this moment, as `settle` needs to know it. */
export type MappingState =
  /** An invocation runs, or something is about to be picked up. */
  | 'busy'
  /** Nothing happens before a timer of the clock ends: a batch window, a visibility timeout, a retry's back-off. */
  | 'waiting'
  /** Everything is delivered. */
  | 'idle';

/** A running event source mapping. */
export interface Mapping {
  readonly source: string;
  readonly functionName: string;
  state(): MappingState;
  /** Stops polling; what is in flight ends by itself. Resolves when the poller has stopped. */
  close(): Promise<void>;
}

/** Lambda's payload limit holds for the whole event, so records are packed until `{"Records":[…]}` would exceed it. */
export const ENVELOPE_BYTES = Buffer.byteLength('{"Records":[]}');

/** The event of a batch from the JSON text of its records: nothing is parsed or serialized twice. */
export const eventOf = (records: readonly string[]): string => `{"Records":[${records.join(',')}]}`;

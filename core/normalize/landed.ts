import { retryable } from '../failure.ts';
import type { RegisteredSource, Registry } from '../source/registry.ts';
import { type LandingName, parseLandingKey } from '../upload/landing-key.ts';
import { type LandingFacts, parseLandingMetadata } from '../upload/landing-metadata.ts';
import type { LandingObject } from './ports.ts';

/** An object in landing, by its key alone. */
export interface Landed {
  readonly key: string;
  readonly name: LandingName;
  readonly registered: RegisteredSource;
}

/** Undefined for a key that is none of landing's. Throws retryable `normalize.unknownSource`. */
export function landedAt(key: string, registry: Registry): Landed | undefined {
  const name = parseLandingKey(key);
  if (!name) return undefined;
  const registered = registry.sources.find((each) => each.id === name.sourceId);
  if (registered) return { key, name, registered };
  const message = `Normalizing ${key} failed: this build has no source ${name.sourceId}. Deploy it again, or delete the message.`;
  throw retryable('normalize.unknownSource', message);
}

/** What the object says of its origin. Throws retryable `normalize.landingGone`. */
export function factsOf(key: string, object: LandingObject | undefined): LandingFacts {
  const facts = object && parseLandingMetadata(object.metadata);
  if (facts) return facts;
  const why = object ? 'its metadata is not Firn’s' : 'it is gone';
  throw retryable('normalize.landingGone', `Normalizing ${key} failed: ${why}. Land the object again.`);
}

import type { Origin } from '../source/source.ts';
import type { Home } from './reading-role.ts';

/** One thing that the owner of a bucket sets up. */
export interface Grant {
  /** Where it goes. `alternatives` do the same: the owner chooses one. */
  readonly kind:
    | 'bucketPolicy'
    | 'keyPolicy'
    | 'roleTrust'
    | 'rolePolicy'
    | 'bucketNotification'
    | 'eventBridgeSwitch'
    | 'eventBridgeRule';
  readonly title: string;
  /** What it is for, and what to mind, in sentences. */
  readonly text: string;
  /** The JSON that AWS takes, where there is any. */
  readonly document?: object;
}

/** What the owner of one bucket is asked for. */
export interface BucketGrants {
  readonly bucket: string;
  /** 12 digits; undefined when the sources name no owner. */
  readonly owner: string | undefined;
  /** Ids of the sources that read it. */
  readonly sources: readonly string[];
  readonly grants: readonly Grant[];
  /** What needs no grant but should be known. */
  readonly notes: readonly string[];
}

/** A bucket with what its sources say, as the makers of grants see it. */
export interface ForeignBucket {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly owner: string | undefined;
  readonly origins: readonly Origin[];
  readonly home: Home;
}

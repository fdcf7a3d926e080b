/** What is remembered about a table beside its items, and how the API speaks of it. */
import { type Json, ServiceError } from '../aws-json.ts';
import type { TableStream, ViewType } from './stream.ts';

export interface TableNote {
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly protected: boolean;
  readonly view: ViewType | undefined;
  readonly ttlAttribute: string | undefined;
  /** Days of point-in-time recovery; undefined when it is off. */
  readonly recoveryDays: number | undefined;
  /** Members of the description that are given back as they came. */
  readonly kept: Json;
}

/** Parameters, and members of the description, that mean nothing here. */
export const throughput = ['OnDemandThroughput', 'WarmThroughput'];

/** Carries the remembered parameters of CreateTable or UpdateTable over into a note. */
export function changed(note: TableNote, input: Json): TableNote {
  const stream = input['StreamSpecification'] as { StreamEnabled?: boolean; StreamViewType?: ViewType } | undefined;
  const sse = input['SSESpecification'] as { Enabled?: boolean; SSEType?: string; KMSMasterKeyId?: string } | undefined;
  const kept: Json = { ...note.kept };
  for (const name of throughput) if (input[name]) kept[name] = input[name];
  if (input['TableClass']) kept['TableClassSummary'] = { TableClass: input['TableClass'] };
  if (sse)
    kept['SSEDescription'] = sse.Enabled
      ? { Status: 'ENABLED', SSEType: sse.SSEType ?? 'KMS', KMSMasterKeyArn: sse.KMSMasterKeyId }
      : undefined;
  return {
    ...note,
    kept,
    protected: (input['DeletionProtectionEnabled'] as boolean | undefined) ?? note.protected,
    view: stream ? (stream.StreamEnabled ? (stream.StreamViewType ?? 'NEW_AND_OLD_IMAGES') : undefined) : note.view,
  };
}

/** dynalite's description of a table with what it does not know joined in. */
export function describe(description: Json, note: TableNote, stream: TableStream | undefined): Json {
  return {
    ...description,
    ...note.kept,
    CreationDateTime: note.createdAt,
    DeletionProtectionEnabled: note.protected,
    ...(stream
      ? {
          StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
          LatestStreamArn: stream.arn,
          LatestStreamLabel: stream.label,
        }
      : {}),
  };
}

/** Throws when UpdateTable asks for a stream that is on, or to end one that is off. */
export function checkStreamChange(input: Json, { view }: TableNote): void {
  const wish = input['StreamSpecification'] as { StreamEnabled?: boolean } | undefined;
  if (wish?.StreamEnabled && view)
    throw new ServiceError('ValidationException', 'Table already has an enabled stream. Disable it first.');
  if (wish && !wish.StreamEnabled && !view)
    throw new ServiceError('ValidationException', 'Table has no stream to disable.');
}

/** Throws when UpdateTimeToLive would change nothing, or the attribute of a TTL that is on. */
export function checkTtlChange({ ttlAttribute }: TableNote, wish: { AttributeName?: string; Enabled?: boolean }): void {
  if (!wish.AttributeName)
    throw new ServiceError('ValidationException', 'TimeToLiveSpecification needs an AttributeName.');
  if (ttlAttribute && ttlAttribute !== wish.AttributeName) {
    const message = `TimeToLive is active on a different AttributeName: current AttributeName is ${ttlAttribute}`;
    throw new ServiceError('ValidationException', message);
  }
  if (Boolean(wish.Enabled) === Boolean(ttlAttribute)) {
    throw new ServiceError('ValidationException', `TimeToLive is already ${wish.Enabled ? 'enabled' : 'disabled'}`);
  }
}

/** The backups of a table; `days` of point-in-time recovery, undefined when it is off. */
export function backups(days: number | undefined): Json {
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription:
      days === undefined
        ? { PointInTimeRecoveryStatus: 'DISABLED' }
        : { PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: days },
  };
}

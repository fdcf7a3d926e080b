import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { UploadCounts } from '../core/upload/books.ts';
import { partBooks } from '../core/upload/books.ts';
import { type Manifest, uploadIdOf } from '../core/upload/manifest.ts';
import type { Pipeline } from '../local/pipeline.ts';
import { cut, grouped } from './columns.ts';

const readAtOnce = 100;

/** Says, as one line each, how uploads move, from now on until the signal aborts. */
export async function watchUploads(
  pipeline: Pick<Pipeline, 'cloud' | 'table' | 'tableName'>,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const stream = pipeline.cloud.dynamodb.stream(pipeline.tableName);
  await Promise.all(
    stream.shards.map(async (shard) => {
      for (let at = stream.newest(shard); !signal.aborted; ) {
        await stream.whenAvailable(shard, at, signal);
        for (const record of stream.read(shard, at, readAtOnce)) {
          at = record.dynamodb?.SequenceNumber;
          const line = signal.aborted ? undefined : await lineOf(record, pipeline);
          if (line !== undefined) say(line);
        }
      }
    }),
  );
}

async function lineOf({ dynamodb }: DynamoDBRecord, { table }: Pick<Pipeline, 'table'>): Promise<string | undefined> {
  if (dynamodb?.Keys?.['sk']?.S !== 'META' || !dynamodb.NewImage) return undefined;
  const now = manifestOf(dynamodb.NewImage);
  const before = dynamodb.OldImage && manifestOf(dynamodb.OldImage);
  const { uploadState: state } = now;
  if (state === before?.uploadState && now.closed === before.closed) return undefined;
  const news = state === 'normalized' ? await rowsOf(now, table) : newsOf(now);
  return news === undefined ? undefined : `${now.sourceId}  ${now.objectKey}: ${news}`;
}

function manifestOf(image: NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>): Manifest {
  return unmarshall(image as Parameters<typeof unmarshall>[0], { wrapNumbers: (digits) => Number(digits) }) as Manifest;
}

/** What a state says to somebody who watches; nothing for those on the way. */
function newsOf(manifest: Manifest): string | undefined {
  const { uploadState: state, stateReason: reason, sizeBytes, closed } = manifest;
  if (state === 'landed') return `landed, ${grouped(sizeBytes ?? 0)} bytes`;
  if (state === 'loaded' && closed) {
    const counts = manifest['counts'] as UploadCounts | undefined;
    return `loaded ${rows(counts?.loaded ?? 0)}, books closed`;
  }
  if (reason === undefined || reason === '') return undefined;
  return `${state}, ${reason}`;
}

async function rowsOf(manifest: Manifest, table: Pipeline['table']): Promise<string> {
  const { pk, revision = 0 } = manifest;
  const total = { read: 0, quarantined: 0 };
  for await (const page of table.query(pk, `P#${revision}#`)) {
    for (const { rowsRead, quarantined } of page.map(partBooks)) {
      total.read += rowsRead;
      total.quarantined += quarantined.count;
    }
  }
  const done = `normalized ${rows(total.read)}`;
  if (total.quarantined === 0) return done;
  for await (const [first] of table.query(pk, `X#${revision}#`)) {
    const why = first ? `, the first is row ${first['rowNumber']}: ${cut(String(first['reasonMessage']), 100)}` : '';
    return `${done}, ${grouped(total.quarantined)} quarantined${why}`;
  }
  return `${done}, ${grouped(total.quarantined)} quarantined (upload ${uploadIdOf(manifest)})`;
}

const rows = (count: number): string => `${grouped(count)} ${count === 1 ? 'row' : 'rows'}`;

import { checkSources } from '../core/source/check.ts';
import type { Registry } from '../core/source/registry.ts';
import { type Build, writeBuild } from './build.ts';
import { type Inputs, inputsFrom } from './folders.ts';
import { bucketsOfSources } from './resources/buckets-of-sources.ts';
import { type ForeignSenders, foreignSenders } from './resources/foreign-senders.ts';
import { type ReadingPolicies, readingPolicies } from './resources/reading-policies.ts';
import { exportNotifications, loginEnvironment, secretPolicy, snowflakeReadRole } from './resources/snowflake.ts';
import { sourceBucketResources } from './resources/source-buckets.ts';
import type { Resources, Value } from './resources/template.ts';
import { readSnowflakeFile, type SnowflakeFile } from './snowflake-file.ts';

/** The parts of the template that depend on the sources and on Snowflake, by the name serverless.yml calls them. */
export interface StackParts {
  readonly sourceBuckets: { readonly Resources: Resources };
  readonly copyReads: ReadingPolicies;
  readonly pollReads: ReadingPolicies;
  /** False switches the poller's schedule off. */
  readonly pollsAny: boolean;
  readonly foreignSenders: ForeignSenders;
  readonly snowflakeReadRole: { readonly Resources: Resources };
  readonly exportNotifications: Value;
  readonly snowflakeLogin: Readonly<Record<string, Value>>;
  readonly snowflakeSecretPolicy: Value;
}

export interface Stack {
  readonly build: Build;
  readonly parts: StackParts;
}

// A stage is part of bucket names, which leave it 14 characters: firn-<stage>-stream-failures-<account>-<region> in 63.
const stagePattern = /^(?=.{1,14}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const stacks = new Map<string, Promise<Stack>>();

/**
 * Builds sources and reads the Snowflake file of a stage, once a process: serverless.yml asks for one part at a time.
 * The folders come from the process's environment, see `inputsFrom`.
 */
export function stackOf(stage: string): Promise<Stack> {
  const known = stacks.get(stage);
  if (known !== undefined) return known;
  const stack = makeStack(stage, inputsFrom(process.env, stage));
  stacks.set(stage, stack);
  return stack;
}

async function makeStack(stage: string, inputs: Inputs): Promise<Stack> {
  if (!stagePattern.test(stage)) {
    throw new Error(
      `Stage '${stage}' cannot name buckets: at most 14 lower-case letters and digits, single dashes between.`,
    );
  }
  const snowflake = await readSnowflakeFile(inputs.snowflakeFile);
  const channels = Object.entries(snowflake?.channels ?? {});
  const loads = Object.fromEntries(channels.map(([entity, { load }]) => [entity, load]));
  const build = await writeBuild({ ...inputs, build: new Date().toISOString(), loads });
  const problems = [...checkSources(build.registry.sources), ...entitiesWithoutPipe(build.registry, snowflake)];
  if (problems.length > 0) throw new Error(`${problems.length} mistakes in the sources:\n${problems.join('\n')}`);
  return { build, parts: stackParts(build.registry, stage, snowflake) };
}

/** Export files of an entity without a pipe would wait in the bucket and nobody would say so. */
function entitiesWithoutPipe({ sources }: Registry, snowflake: SnowflakeFile | undefined): readonly string[] {
  if (!snowflake) return [];
  const entities = new Set(sources.map(({ source }) => source.config.entity));
  return [...entities]
    .filter((entity) => snowflake.channels[entity] === undefined)
    .map((entity) => `entity ${entity} has no pipe in the Snowflake file: make its Snowflake objects first`);
}

/** The generated parts of the template, from data alone. */
export function stackParts(registry: Registry, stage: string, snowflake: SnowflakeFile | undefined): StackParts {
  const buckets = bucketsOfSources(registry, stage);
  return {
    sourceBuckets: { Resources: sourceBucketResources(buckets) },
    copyReads: readingPolicies(registry, buckets, 'copy'),
    pollReads: readingPolicies(registry, buckets, 'poll'),
    pollsAny: registry.sources.some(({ source }) => source.config.from.poll !== undefined),
    foreignSenders: foreignSenders(buckets),
    snowflakeReadRole: { Resources: snowflakeReadRole(snowflake, stage) },
    exportNotifications: exportNotifications(snowflake),
    snowflakeLogin: loginEnvironment(snowflake),
    snowflakeSecretPolicy: secretPolicy(snowflake),
  };
}

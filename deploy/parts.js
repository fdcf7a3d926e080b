// What serverless.yml reads as ${file(deploy/parts.js):<name>}. It is JavaScript because that is all such a reference runs.
import { stackOf, stackParts } from './stack.ts';

/** @param {keyof import('./stack.ts').StackParts} name */
function part(name) {
  /** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
  return async ({ resolveVariable }) => {
    const stage = await resolveVariable('sls:stage');
    // What is wrong with the sources would be told once a part. deploy/plugin.js tells it once, before packaging.
    const { parts } = await stackOf(stage).catch(() => ({
      parts: stackParts({ build: '', sources: [] }, stage, undefined),
    }));
    return parts[name];
  };
}

export const sourceBuckets = part('sourceBuckets');
export const copyReads = part('copyReads');
export const pollReads = part('pollReads');
export const pollsAny = part('pollsAny');
export const foreignSenders = part('foreignSenders');
export const snowflakeReadRole = part('snowflakeReadRole');
export const exportNotifications = part('exportNotifications');
export const snowflakeLogin = part('snowflakeLogin');
export const snowflakeSecretPolicy = part('snowflakeSecretPolicy');

import { holds, resolve, type Scope } from './intrinsics.ts';
import { creationOrder } from './order.ts';
import { creatorOf } from './resource-types.ts';
import { isRecord, type Template } from './template.ts';
import type { Created, World } from './world.ts';

/** Lets a test change the resolved properties of a resource before it is created. */
export type Override = (logicalId: string, properties: Record<string, unknown>) => Record<string, unknown>;

/** What a template became. */
export interface Stack {
  readonly resources: ReadonlyMap<string, Created>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Creates all resources of a template, each after what it refers to, and resolves the outputs. */
export async function createStack(template: Template, world: World, override?: Override): Promise<Stack> {
  const resources = new Map<string, Created>();
  const scope = scopeOf(template, world, resources);
  const order = creationOrder(template, scope);
  // Unknown types are refused before anything is made.
  for (const id of order) creatorOf(id, template.resources[id]?.type ?? '');
  for (const logicalId of order) {
    const { type = '', properties = {} } = template.resources[logicalId] ?? {};
    try {
      const resolved = resolve(properties, scope);
      const deployed = isRecord(resolved) ? resolved : {};
      const tuned = override?.(logicalId, structuredClone(deployed)) ?? deployed;
      const create = creatorOf(logicalId, type);
      resources.set(logicalId, await create({ logicalId, type, properties: tuned, deployed }, world));
    } catch (error) {
      throw new Error(`${logicalId} (${type}): ${(error as Error).message}`, { cause: error });
    }
  }
  return { resources, outputs: resolveOutputs(template, scope) };
}

function scopeOf(template: Template, world: World, resources: ReadonlyMap<string, Created>): Scope {
  const created = (logicalId: string): Created => {
    const resource = resources.get(logicalId);
    if (resource !== undefined) return resource;
    throw new Error(`template: there is no resource or parameter ${logicalId}`);
  };
  return {
    template,
    pseudo: {
      'AWS::Region': world.region,
      'AWS::AccountId': world.accountId,
      'AWS::Partition': 'aws',
      'AWS::StackName': world.stackName,
      'AWS::StackId': `arn:aws:cloudformation:${world.region}:${world.accountId}:stack/${world.stackName}/local`,
      'AWS::URLSuffix': 'amazonaws.com',
    },
    ref: (logicalId) => created(logicalId).ref,
    attribute(logicalId, name) {
      const value = created(logicalId).attributes[name];
      if (value !== undefined) return value;
      throw new Error(`template: ${logicalId} (${template.resources[logicalId]?.type}) has no attribute ${name} here`);
    },
  };
}

function resolveOutputs(template: Template, scope: Scope): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [name, { Value, Condition }] of Object.entries(template.outputs)) {
    if (Condition !== undefined && !holds(String(Condition), scope)) continue;
    outputs[name] = String(resolve(Value, scope));
  }
  return outputs;
}

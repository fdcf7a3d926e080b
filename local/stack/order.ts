import { holds, type Scope } from './intrinsics.ts';
import { isRecord, type Template } from './template.ts';

/** Types in the order in which they are created where nothing else decides: what is referred to by a literal ARN first. */
const RANK = ['AWS::SQS::Queue', 'AWS::SecretsManager::Secret', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket'];

/**
 * Logical ids in creation order: after everything they refer to. Resources whose condition is false are left out.
 * Throws on a reference to nothing and on a circular one, which CloudFormation refuses as well.
 */
export function creationOrder(template: Template, scope: Scope): string[] {
  const wanted = Object.entries(template.resources)
    .filter(([, resource]) => resource.condition === undefined || holds(resource.condition, scope))
    .map(([id]) => id);
  const existing = new Set(wanted);
  const needs = new Map(wanted.map((id) => [id, needsOf(id, template, existing, scope)]));
  const ranked = wanted.toSorted((a, b) => rankOf(template, a) - rankOf(template, b));
  const ordered = new Set<string>();

  const visit = (id: string, path: readonly string[]) => {
    if (ordered.has(id)) return;
    if (path.includes(id)) {
      throw new Error(`template: circular reference ${[...path.slice(path.indexOf(id)), id].join(' -> ')}`);
    }
    for (const need of needs.get(id) ?? []) visit(need, [...path, id]);
    ordered.add(id);
  };
  for (const id of ranked) visit(id, []);
  return [...ordered];
}

function rankOf(template: Template, logicalId: string): number {
  const rank = RANK.indexOf(template.resources[logicalId]?.type ?? '');
  return rank < 0 ? RANK.length : rank;
}

function needsOf(logicalId: string, template: Template, existing: ReadonlySet<string>, scope: Scope): Set<string> {
  const found = new Set<string>();
  const resource = template.resources[logicalId];
  collect(resource?.properties, scope, found);
  for (const name of found) {
    if (Object.hasOwn(template.parameters, name)) found.delete(name);
    else if (!existing.has(name)) throw new Error(`template: ${logicalId} refers to ${name}, which does not exist`);
  }
  for (const name of resource?.dependsOn ?? []) {
    if (!Object.hasOwn(template.resources, name)) {
      throw new Error(`template: ${logicalId} depends on ${name}, which does not exist`);
    }
    if (existing.has(name)) found.add(name);
  }
  return found;
}

function collect(node: unknown, scope: Scope, found: Set<string>): void {
  if (Array.isArray(node)) for (const each of node) collect(each, scope, found);
  if (!isRecord(node)) return;
  const add = (name: string | undefined) => {
    if (name !== undefined && !name.startsWith('AWS::')) found.add(name);
  };
  for (const [key, value] of Object.entries(node)) {
    if (key === 'Ref') add(String(value));
    else if (key === 'Fn::GetAtt') add(Array.isArray(value) ? String(value[0]) : String(value).split('.')[0]);
    else if (key === 'Fn::Sub') collectSub(value, scope, found);
    // Only the branch that is taken counts: the other may refer to a resource that is not created.
    else if (key === 'Fn::If' && Array.isArray(value))
      collect(value[holds(String(value[0]), scope) ? 1 : 2], scope, found);
    else collect(value, scope, found);
  }
}

function collectSub(value: unknown, scope: Scope, found: Set<string>): void {
  const [text, variables] = Array.isArray(value) ? value : [value, {}];
  collect(variables, scope, found);
  const own = isRecord(variables) ? variables : {};
  for (const [, literal, name = ''] of String(text).matchAll(/\$\{(!?)([^}]+)\}/g)) {
    const target = name.trim().split('.')[0] ?? '';
    if (literal === '' && !target.startsWith('AWS::') && !Object.hasOwn(own, name.trim())) found.add(target);
  }
}

/** A value in a CloudFormation template. */
export type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

export interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: 'Retain';
  readonly UpdateReplacePolicy?: 'Retain';
  readonly Properties: { readonly [name: string]: Value };
}

export type Resources = Readonly<Record<string, Resource>>;

/** Stands where a stack has nothing to say; deploy/plugin.js takes it out of the finished template. */
export const absent: Value = { Ref: 'AWS::NoValue' };

/** A template without its `absent` values: properties and list items that hold one are gone. */
export function withoutAbsent(value: Value): Value {
  if (Array.isArray(value)) return value.filter((each) => !isAbsent(each)).map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, each]) => !isAbsent(each));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutAbsent(each)]));
}

// CloudFormation: 500 resources, and 1 MB of text.
const mostResources = 500;
const mostBytes = 1_000_000;

/** Throws when CloudFormation would not take the template, which it says only when everything is uploaded. */
export function refuseTooLarge(template: { readonly Resources: Readonly<Record<string, unknown>> }): void {
  const count = Object.keys(template.Resources).length;
  const bytes = Buffer.byteLength(JSON.stringify(template));
  if (count <= mostResources && bytes <= mostBytes) return;
  throw new Error(
    `The stack has ${count} resources in a template of ${bytes} bytes, CloudFormation takes ${mostResources} and ` +
      `${mostBytes}. Let sources share buckets: each of the stack's own is two resources, each existing one a rule.`,
  );
}

function isAbsent(value: Value): boolean {
  return JSON.stringify(value) === JSON.stringify(absent);
}

/** A text with `${AWS::…}` and `${LogicalId}` in it. Data that goes in must have passed `plain`. */
export function sub(text: string): Value {
  return { 'Fn::Sub': text };
}

/** Data as it must be spelt inside `sub`, so that a `${` in it stays what it is. */
export function plain(data: string): string {
  return data.replaceAll('${', '${!');
}

export function arnOf(logicalId: string): Value {
  return { 'Fn::GetAtt': [logicalId, 'Arn'] };
}

/**
 * A bucket or entity name as part of a logical id, which takes letters and digits only: `orders-eu.v2` is
 * `OrdersDasheuDotv2`. Different names give different ids.
 */
export function logicalName(name: string): string {
  const spelt = name.replaceAll('-', 'Dash').replaceAll('.', 'Dot').replaceAll('_', 'Underscore');
  return spelt.charAt(0).toUpperCase() + spelt.slice(1);
}

import { isRecord } from './template.ts';

/** One resource on its way to being created: its properties are resolved. */
export interface Declaration {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The properties as they would be deployed, before a test tuned them. */
  readonly deployed: Readonly<Record<string, unknown>>;
}

/** Properties that a resource type acts on, and those that are known to change nothing on one machine. */
export interface KnownProperties {
  readonly used: readonly string[];
  readonly ignored: readonly string[];
}

/** Throws when a declaration has a property that would be dropped silently. */
export function refuseUnknown({ properties }: Declaration, { used, ignored }: KnownProperties): void {
  const unknown = Object.keys(properties).filter((name) => !used.includes(name) && !ignored.includes(name));
  if (unknown.length === 0) return;
  throw new Error(`the property ${unknown.join(', ')} is not supported in the embedded cloud`);
}

/** Refuses a property value with the reason; whoever creates the stack adds the resource. */
export function refuse(why: string): never {
  throw new Error(why);
}

/** A text property, or undefined. Numbers are accepted, as CloudFormation does. */
export function text(properties: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error(`property ${name}: expected a text, got ${JSON.stringify(value)}`);
}

/** A text property that must be there. */
export function requiredText(declaration: Declaration, name: string): string {
  return text(declaration.properties, name) ?? refuse(`${name} is missing`);
}

/** A whole number, or undefined. Texts of digits are accepted, as CloudFormation does. */
export function whole(properties: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (Number.isInteger(number)) return number as number;
  throw new Error(`property ${name}: expected a whole number, got ${JSON.stringify(value)}`);
}

/** A flag, or undefined; `"true"` and `"false"` are accepted, as CloudFormation does. */
export function flag(properties: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Error(`property ${name}: expected true or false, got ${JSON.stringify(value)}`);
}

/** An object property; empty when absent. */
export function record(properties: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = properties[name];
  if (value === undefined) return {};
  if (isRecord(value)) return value;
  throw new Error(`property ${name}: expected an object`);
}

/** A list of objects; empty when absent. */
export function records(properties: Readonly<Record<string, unknown>>, name: string): Record<string, unknown>[] {
  const value = properties[name] ?? [];
  if (Array.isArray(value) && value.every(isRecord)) return value;
  throw new Error(`property ${name}: expected a list of objects`);
}

/** A list of texts; empty when absent. */
export function texts(properties: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = properties[name] ?? [];
  if (Array.isArray(value)) return value.map(String);
  throw new Error(`property ${name}: expected a list`);
}

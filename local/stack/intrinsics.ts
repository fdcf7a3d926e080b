import { isRecord, type Template } from './template.ts';

/** What references resolve to. */
export interface Scope {
  readonly template: Pick<Template, 'parameters' | 'mappings' | 'conditions'>;
  /** `AWS::Region` and its kin, by full name. */
  readonly pseudo: Readonly<Record<string, string>>;
  /** The value of `Ref` to a resource; throws when there is no such resource. */
  ref(logicalId: string): string;
  /** The value of `Fn::GetAtt`; throws when the resource has no such attribute. */
  attribute(logicalId: string, name: string): string;
}

const NO_VALUE = Symbol('AWS::NoValue');
const SUB_REFERENCE = /\$\{(!?)([^}]+)\}/g;

/** Resolves every intrinsic function in a value. Properties set to `AWS::NoValue` disappear. */
export function resolve(value: unknown, scope: Scope): unknown {
  const resolved = resolveNode(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/** Whether a condition of the template holds. */
export function holds(name: string, scope: Scope): boolean {
  if (!Object.hasOwn(scope.template.conditions, name)) throw new Error(`template: there is no condition ${name}`);
  return truth(scope.template.conditions[name], scope);
}

function resolveNode(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((each) => resolveNode(each, scope)).filter((each) => each !== NO_VALUE);
  if (typeof value === 'string' && value.includes('{{resolve:')) {
    throw new Error(`template: dynamic references ({{resolve:…}}) are not supported in the embedded cloud: ${value}`);
  }
  if (!isRecord(value)) return value;
  const entries = Object.entries(value);
  const [only, ...more] = entries;
  if (only !== undefined && more.length === 0 && isIntrinsic(only[0])) return apply(only[0], only[1], scope);
  return Object.fromEntries(
    entries.map(([key, each]) => [key, resolveNode(each, scope)] as const).filter(([, each]) => each !== NO_VALUE),
  );
}

const isIntrinsic = (key: string): boolean => key === 'Ref' || key.startsWith('Fn::');

function apply(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return reference(String(argument), scope);
    case 'Fn::GetAtt': {
      const [logicalId = '', ...path] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
      return scope.attribute(logicalId, path.join('.'));
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Join': {
      const [separator, parts] = listOf(argument, name, scope);
      return listOf(parts, name, scope).map(String).join(String(separator));
    }
    case 'Fn::Split': {
      const [separator, text] = listOf(argument, name, scope);
      return String(text).split(String(separator));
    }
    case 'Fn::Select': {
      const [index, from] = listOf(argument, name, scope);
      const list = listOf(from, name, scope);
      if (Number(index) in list) return list[Number(index)];
      throw new Error(`template: Fn::Select asks for item ${String(index)} of a list of ${list.length}`);
    }
    case 'Fn::If': {
      const [condition, yes, no] = Array.isArray(argument) ? argument : [];
      return resolveNode(holds(String(condition), scope) ? yes : no, scope);
    }
    case 'Fn::FindInMap': {
      const keys = listOf(argument, name, scope).map(String);
      return keys.reduce<unknown>((node, key) => mapEntry(node, key, keys), scope.template.mappings);
    }
    default:
      throw new Error(`template: ${name} is not supported in the embedded cloud`);
  }
}

function reference(name: string, scope: Scope): unknown {
  if (name === 'AWS::NoValue') return NO_VALUE;
  if (name.startsWith('AWS::')) {
    const value = scope.pseudo[name];
    if (value !== undefined) return value;
    throw new Error(`template: the pseudo parameter ${name} is not supported in the embedded cloud`);
  }
  const parameter = scope.template.parameters[name];
  if (parameter === undefined) return scope.ref(name);
  if (parameter['Default'] !== undefined) return parameter['Default'];
  throw new Error(`template: parameter ${name} has no Default, and the embedded cloud passes no parameters`);
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const own = isRecord(variables) ? variables : {};
  return String(text).replace(SUB_REFERENCE, (_, literal: string, name: string) => {
    if (literal !== '') return `\${${name}}`;
    const key = name.trim();
    if (Object.hasOwn(own, key)) return String(resolveNode(own[key], scope));
    const dot = key.indexOf('.');
    return String(dot < 0 ? reference(key, scope) : scope.attribute(key.slice(0, dot), key.slice(dot + 1)));
  });
}

function mapEntry(node: unknown, key: string, path: readonly string[]): unknown {
  if (isRecord(node) && Object.hasOwn(node, key)) return node[key];
  throw new Error(`template: Fn::FindInMap finds nothing at ${path.join(' / ')}`);
}

function listOf(argument: unknown, name: string, scope: Scope): unknown[] {
  const list = resolveNode(argument, scope);
  if (Array.isArray(list)) return list;
  throw new Error(`template: ${name} takes a list`);
}

function truth(condition: unknown, scope: Scope): boolean {
  const [name, argument] = isRecord(condition) ? (Object.entries(condition)[0] ?? []) : [];
  const each = Array.isArray(argument) ? argument : [];
  switch (name) {
    case 'Fn::Equals':
      return String(resolveNode(each[0], scope)) === String(resolveNode(each[1], scope));
    case 'Fn::And':
      return each.every((one) => truth(one, scope));
    case 'Fn::Or':
      return each.some((one) => truth(one, scope));
    case 'Fn::Not':
      return !truth(each[0], scope);
    case 'Condition':
      return holds(String(argument), scope);
    default:
      throw new Error(`template: a condition made with ${String(name)} is not supported in the embedded cloud`);
  }
}

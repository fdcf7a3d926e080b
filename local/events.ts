/**
 * Event patterns as EventBridge rules and event source mapping filters write them, compiled to a predicate.
 *
 * A pattern names leaves; each leaf lists alternatives, of which one must hold. An event value that is an array holds
 * when one of its elements does. What is not listed here is refused when the pattern is compiled, so that a filter
 * never silently matches less than the service would.
 */
export type Operator =
  | 'exact'
  | 'prefix'
  | 'suffix'
  | 'anything-but'
  | 'exists'
  | 'equals-ignore-case'
  | 'numeric'
  | 'wildcard'
  | '$or';

type Test = (value: unknown) => boolean;

/** Operators of rules on the event bus. */
const RULE_OPERATORS: readonly Operator[] = [
  'exact',
  'prefix',
  'suffix',
  'anything-but',
  'exists',
  'equals-ignore-case',
  'numeric',
  'wildcard',
  '$or',
];

/** Operators of event source mapping filters that the embedded cloud knows. */
export const FILTER_OPERATORS: readonly Operator[] = ['exact', 'prefix', 'suffix', 'anything-but', 'exists', '$or'];

/** Compiles a pattern. Throws on an operator outside `allowed` and on a shape the services would refuse. */
export function compilePattern(pattern: unknown, allowed: readonly Operator[] = RULE_OPERATORS): Test {
  if (!isObject(pattern)) throw new Error(`event pattern: expected an object, got ${JSON.stringify(pattern)}`);
  return compileNode(pattern, '', allowed);
}

function compileNode(node: Record<string, unknown>, path: string, allowed: readonly Operator[]): Test {
  const entries = Object.entries(node);
  if (entries.length === 0) throw new Error(`event pattern: "${path || '(top)'}" is empty; name at least one value`);
  const tests = entries.map(([key, value]): Test => {
    if (key === '$or' && Array.isArray(value)) return compileOr(value, path, allowed);
    const at = path === '' ? key : `${path}.${key}`;
    if (Array.isArray(value)) {
      const leaf = compileLeaf(value, at, allowed);
      return (event) => leaf(childOf(event, key));
    }
    if (!isObject(value)) throw new Error(`event pattern: "${at}" must be a list of alternatives or an object`);
    const below = compileNode(value, at, allowed);
    return (event) => {
      const child = childOf(event, key);
      return Array.isArray(child) ? child.some(below) : below(child);
    };
  });
  return (event) => tests.every((test) => test(event));
}

function compileOr(branches: readonly unknown[], path: string, allowed: readonly Operator[]): Test {
  requireAllowed('$or', path, allowed);
  if (branches.length < 2) throw new Error(`event pattern: "$or" at "${path}" needs two alternatives or more`);
  const tests = branches.map((branch) => {
    if (!isObject(branch)) throw new Error(`event pattern: an alternative of "$or" at "${path}" is no object`);
    return compileNode(branch, path, allowed);
  });
  return (event) => tests.some((test) => test(event));
}

function compileLeaf(alternatives: readonly unknown[], path: string, allowed: readonly Operator[]): Test {
  if (alternatives.length === 0) throw new Error(`event pattern: "${path}" lists no alternative, it can never match`);
  const tests = alternatives.map((each) => compileAlternative(each, path, allowed));
  return (value) => tests.some((test) => test(value));
}

function compileAlternative(wanted: unknown, path: string, allowed: readonly Operator[]): Test {
  if (!isObject(wanted)) {
    requireAllowed('exact', path, allowed);
    return onElements((value) => value === wanted);
  }
  const [operator, operand, ...more] = Object.entries(wanted).flat();
  if (typeof operator !== 'string' || more.length > 0) {
    throw new Error(`event pattern: an alternative of "${path}" must name exactly one operator`);
  }
  requireAllowed(operator, path, allowed);
  return operatorTest(operator as Operator, operand, path);
}

function operatorTest(operator: Operator, operand: unknown, path: string): Test {
  switch (operator) {
    case 'prefix': {
      const prefix = textOperand(operand, operator, path);
      return onElements((value) => typeof value === 'string' && value.startsWith(prefix));
    }
    case 'suffix': {
      const suffix = textOperand(operand, operator, path);
      return onElements((value) => typeof value === 'string' && value.endsWith(suffix));
    }
    case 'equals-ignore-case': {
      const wanted = textOperand(operand, operator, path).toLowerCase();
      return onElements((value) => typeof value === 'string' && value.toLowerCase() === wanted);
    }
    case 'wildcard': {
      const expression = wildcardExpression(textOperand(operand, operator, path));
      return onElements((value) => typeof value === 'string' && expression.test(value));
    }
    case 'exists':
      if (typeof operand !== 'boolean') throw new Error(`event pattern: "exists" at "${path}" takes true or false`);
      return (value) => isLeaf(value) === operand;
    case 'numeric': {
      const holds = numericTest(operand, path);
      return onElements((value) => typeof value === 'number' && holds(value));
    }
    case 'anything-but':
      return anythingBut(operand, path);
    default:
      throw new Error(`event pattern: operator "${operator}" at "${path}" is not supported in the embedded cloud`);
  }
}

function anythingBut(operand: unknown, path: string): Test {
  if (isObject(operand)) {
    const [operator, value] = Object.entries(operand).flat();
    if (operator !== 'prefix' && operator !== 'suffix') {
      throw new Error(`event pattern: "anything-but" at "${path}" takes values, a prefix or a suffix`);
    }
    const excluded = operatorTest(operator, value, path);
    return onElements((each) => typeof each === 'string' && !excluded(each));
  }
  const excluded = new Set(Array.isArray(operand) ? operand : [operand]);
  return onElements((value) => isLeaf(value) && !excluded.has(value));
}

function numericTest(operand: unknown, path: string): (value: number) => boolean {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) {
    throw new Error(`event pattern: "numeric" at "${path}" takes pairs such as [">=", 10, "<", 20]`);
  }
  const tests: ((value: number) => boolean)[] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const bound: unknown = operand[i + 1];
    if (typeof bound !== 'number') throw new Error(`event pattern: a bound of "numeric" at "${path}" is no number`);
    tests.push(comparison(operand[i], bound, path));
  }
  return (value) => tests.every((test) => test(value));
}

function comparison(sign: unknown, bound: number, path: string): (value: number) => boolean {
  switch (sign) {
    case '=':
      return (value) => value === bound;
    case '<':
      return (value) => value < bound;
    case '<=':
      return (value) => value <= bound;
    case '>':
      return (value) => value > bound;
    case '>=':
      return (value) => value >= bound;
    default:
      throw new Error(`event pattern: "numeric" at "${path}" knows = < <= > >=, not ${JSON.stringify(sign)}`);
  }
}

function wildcardExpression(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function requireAllowed(operator: string, path: string, allowed: readonly Operator[]): void {
  if ((allowed as readonly string[]).includes(operator)) return;
  throw new Error(
    `event pattern: operator "${operator}" at "${path}" is not supported here; known are ${allowed.join(', ')}`,
  );
}

function textOperand(operand: unknown, operator: string, path: string): string {
  if (typeof operand === 'string') return operand;
  throw new Error(`event pattern: "${operator}" at "${path}" takes a text`);
}

const onElements =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) ? value.some(test) : value !== undefined && test(value);

const childOf = (event: unknown, key: string): unknown =>
  isObject(event) && Object.hasOwn(event, key) ? event[key] : undefined;

const isLeaf = (value: unknown): boolean => value !== undefined && !isObject(value);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

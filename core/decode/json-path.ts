import { endValue, feed, isComplete, isJsonSpace, type JsonMachine, newJsonMachine } from './json-machine.ts';

/** A walk through one document towards the array at a path of names. What it passes is checked but not kept. */
export interface PathWalk {
  readonly path: readonly string[];
  readonly machine: JsonMachine;
  /** How many names of the path lead to the innermost open object that lies on it. */
  matched: number;
  /** Bytes of the name being read, when it may be the next one of the path; undefined when it cannot. */
  name: number[] | undefined;
  /** The value that begins next belongs to the next name of the path. */
  hit: boolean;
}

const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
/** A name of n UTF-16 units takes at most six bytes a unit (`\u0000`), and two quotes. */
const ESCAPED_BYTES = 6;

export function newPathWalk(path: readonly string[]): PathWalk {
  return { path, machine: newJsonMachine(), matched: 0, name: undefined, hit: false };
}

/**
 * Takes one byte. `rows`: it opened the array at the path, and the walk goes on with {@link leaveRows} behind its
 * closing bracket. `end`: it was the document's last. `fault`: the grammar has no place for it.
 */
export function walk(walk: PathWalk, byte: number): 'on' | 'rows' | 'end' | 'fault' {
  const { machine, path } = walk;
  const { state, open } = machine;
  const depth = open.length;
  const begins = (state === 'value' || state === 'firstElement') && !isJsonSpace(byte);
  if (begins && walk.hit && byte === OPEN_ARRAY && walk.matched === path.length - 1) {
    walk.hit = false;
    return 'rows';
  }
  if (!feed(machine, byte)) return 'fault';
  if (begins) {
    if (byte === OPEN_OBJECT && walk.hit && walk.matched < path.length - 1) walk.matched++;
    walk.hit = false;
  }
  if (open.length < depth) {
    walk.matched = Math.max(0, Math.min(walk.matched, open.length - 1));
    return isComplete(machine) ? 'end' : 'on';
  }
  readName(walk, byte, state);
  return 'on';
}

/** Takes up the walk behind the array that `rows` announced. */
export function leaveRows({ machine }: PathWalk): void {
  endValue(machine);
}

/**
 * Collects the names of objects on the path, and compares each when it is complete. The root object is open at depth 1
 * with no name matched yet, and each matched name is one level more.
 */
function readName(walk: PathWalk, byte: number, before: JsonMachine['state']): void {
  const { machine, path } = walk;
  if (before === 'name' || before === 'firstName') {
    if (machine.isName) walk.name = machine.open.length === walk.matched + 1 ? [byte] : undefined;
    return;
  }
  const { name } = walk;
  if (name === undefined) return;
  const wanted = path[walk.matched] ?? '';
  name.push(byte);
  if (name.length > wanted.length * ESCAPED_BYTES + 2) walk.name = undefined;
  else if (!machine.isName) {
    walk.hit = JSON.parse(Buffer.from(name).toString()) === wanted;
    walk.name = undefined;
  }
}

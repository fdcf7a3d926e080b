import { buildField } from './build-fields.ts';
import { Problem } from './field.ts';
import type { Inferred, Samples } from './inferred.ts';

/** So many values show what most of them are. */
const looked = 100;

/** What most values are, where it is worth telling. */
const share = 0.8;

/**
 * A sentence for a field that has to be text or JSON because of a few values: what all the others are. Undefined when
 * there is nothing to tell.
 */
export function almost(
  samples: Samples,
  kind: 'text' | 'json',
  typeOf: (some: Samples) => Inferred | undefined,
): string | undefined {
  const { values } = samples;
  const step = Math.max(1, Math.floor(values.length / looked));
  const some = values.filter((_, index) => index % step === 0).slice(0, looked);
  const special = some.filter((value) => {
    const found = typeOf({ ...samples, values: [value] });
    return found !== undefined && found.kind !== 'text' && found.kind !== 'json';
  });
  if (special.length < some.length * share) return undefined;
  const found = typeOf({ ...samples, values: special });
  if (!found || found.kind === 'text' || found.kind === 'json') return undefined;
  const { parse } = buildField(found).compile();
  const others = values.filter((value) => parse(value) instanceof Problem).length;
  if (others === 0 || others > values.length * (1 - share)) return undefined;
  const options = Object.entries(found.options ?? {}).map(([name, value]) => `${name}: ${shown(value)}`);
  const what = options.length === 0 ? found.kind : `${found.kind} with ${options.join(', ')}`;
  return `${values.length - others} of ${values.length} are ${what}; kept as ${kind}, so that no row goes to quarantine`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

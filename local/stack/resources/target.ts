import type { Deliver } from '../event-bus.ts';
import { refuse, text } from '../properties.ts';
import type { World } from '../world.ts';

/** Where a rule or a schedule can send an event: a function or a queue, by ARN. */
export function targetOf(arn: string, world: World): Deliver {
  const [, , service, , , , name = ''] = arn.split(':');
  if (service === 'lambda') {
    if (!world.pools.has(name)) refuse(`its target ${arn} does not exist`);
    return (event) => world.invokeAsync(name, event);
  }
  if (service !== 'sqs') refuse(`the target ${arn} is not supported, only functions and queues are`);
  if (!world.services.sqs.queues().includes(arn)) refuse(`its target ${arn} does not exist`);
  return (event) => void world.services.sqs.send(arn, event);
}

/** What a target receives of an event: all of it, a constant (`Input`), or one part of it (`InputPath`). */
export function inputOf(target: Readonly<Record<string, unknown>>): (event: string) => string {
  if (target['InputTransformer'] !== undefined) refuse('InputTransformer is not supported in the embedded cloud');
  const input = text(target, 'Input');
  if (input !== undefined) return () => input;
  const path = text(target, 'InputPath');
  if (path === undefined || path === '$') return (event) => event;
  if (!/^\$(\.[\w-]+)+$/.test(path)) refuse(`InputPath ${path}: only paths such as $.detail.bucket are supported`);
  const steps = path.split('.').slice(1);
  return (event) =>
    JSON.stringify(
      steps.reduce((node: unknown, step) => (node as Record<string, unknown> | undefined)?.[step], JSON.parse(event)) ??
        null,
    );
}

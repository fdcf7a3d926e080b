import { randomUUID } from 'node:crypto';
import { parseSchedule, runSchedule } from '../../lambda/schedule.ts';
import type { Deliver } from '../event-bus.ts';
import { generatedName } from '../names.ts';
import { records, refuse, refuseUnknown, requiredText, text } from '../properties.ts';
import type { Create, World } from '../world.ts';
import { inputOf, targetOf } from './target.ts';

const KNOWN = {
  used: ['Name', 'EventBusName', 'EventPattern', 'ScheduleExpression', 'State', 'Targets'],
  ignored: ['Description', 'RoleArn', 'Tags'],
};

/** AWS::Events::Rule: a pattern on the default bus, a schedule, or both. */
export const createRule: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const name = text(properties, 'Name') ?? generatedName(world.stackName, logicalId);
  const bus = text(properties, 'EventBusName') ?? 'default';
  if (bus !== 'default') refuse(`the event bus ${bus} is not supported, only the default one is`);
  const arn = `arn:aws:events:${world.region}:${world.accountId}:rule/${name}`;
  const created = { ref: name, attributes: { Arn: arn } };
  const targets = records(properties, 'Targets').map((target): Deliver => {
    const deliver = targetOf(requiredText({ ...declaration, properties: target }, 'Arn'), world);
    const input = inputOf(target);
    return (event) => deliver(input(event));
  });
  if (text(properties, 'State') === 'DISABLED') return created;
  if (properties['EventPattern'] !== undefined) world.bus.addRule(name, properties['EventPattern'], targets);

  const expression = text(properties, 'ScheduleExpression');
  if (expression === undefined) return created;
  const next = parseSchedule(expression, world.clock.now());
  if (!world.schedules) return created;
  void runSchedule(next, world.clock, world.closing, () => {
    const event = scheduledEvent(arn, world);
    for (const deliver of targets) deliver(event);
  });
  return created;
};

function scheduledEvent(ruleArn: string, world: World): string {
  return JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: world.accountId,
    time: `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z`,
    region: world.region,
    resources: [ruleArn],
    detail: {},
  });
}

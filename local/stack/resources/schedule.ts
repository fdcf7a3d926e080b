import { parseSchedule, runSchedule } from '../../lambda/schedule.ts';
import { generatedName } from '../names.ts';
import { record, refuse, refuseUnknown, requiredText, text } from '../properties.ts';
import type { Create } from '../world.ts';
import { targetOf } from './target.ts';

const KNOWN = {
  used: ['Name', 'GroupName', 'ScheduleExpression', 'ScheduleExpressionTimezone', 'State', 'Target'],
  ignored: ['Description', 'FlexibleTimeWindow', 'KmsKeyArn'],
};

/** AWS::Scheduler::Schedule, in UTC, at the start of its window. */
export const createSchedule: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const name = text(properties, 'Name') ?? generatedName(world.stackName, logicalId);
  const zone = text(properties, 'ScheduleExpressionTimezone') ?? 'UTC';
  if (zone !== 'UTC') refuse(`the time zone ${zone} is not supported, schedules run in UTC`);
  const target = record(properties, 'Target');
  const deliver = targetOf(requiredText({ ...declaration, properties: target }, 'Arn'), world);
  const input = text(target, 'Input') ?? '{}';
  const group = text(properties, 'GroupName') ?? 'default';
  const arn = `arn:aws:scheduler:${world.region}:${world.accountId}:schedule/${group}/${name}`;
  const next = parseSchedule(requiredText(declaration, 'ScheduleExpression'), world.clock.now());
  if (world.schedules && text(properties, 'State') !== 'DISABLED') {
    void runSchedule(next, world.clock, world.closing, () => deliver(input));
  }
  return { ref: name, attributes: { Arn: arn } };
};

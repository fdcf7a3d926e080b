import { generatedName, generatedUuid } from '../names.ts';
import { text } from '../properties.ts';
import type { Create, Created, World } from '../world.ts';

/** A resource that does nothing on one machine, but can be referred to. */
interface Shape {
  /** The property that names it. */
  readonly name?: string;
  /** Its ARN from its name; the value of `Arn`, and of `Ref` where `refIsArn` says so. */
  readonly arn?: (name: string, world: World) => string;
  readonly refIsArn?: boolean;
  readonly attributes?: (name: string, arn: string) => Record<string, string>;
}

const arnIn =
  (service: string, resource = ''): NonNullable<Shape['arn']> =>
  (name, { region, accountId }) =>
    `arn:aws:${service}:${region}:${accountId}:${resource}${name}`;
const iamArn =
  (resource: string): NonNullable<Shape['arn']> =>
  (name, { accountId }) =>
    `arn:aws:iam::${accountId}:${resource}/${name}`;

/** Every type that the embedded cloud accepts without acting on it: permissions, keys, alarms, logs. */
const SHAPES: Readonly<Record<string, Shape>> = {
  'AWS::IAM::Role': { name: 'RoleName', arn: iamArn('role'), attributes: (name) => ({ RoleId: name }) },
  'AWS::IAM::Policy': {},
  'AWS::IAM::RolePolicy': {},
  'AWS::IAM::ManagedPolicy': { name: 'ManagedPolicyName', arn: iamArn('policy'), refIsArn: true },
  'AWS::S3::BucketPolicy': {},
  'AWS::SQS::QueuePolicy': {},
  'AWS::SNS::Topic': {
    name: 'TopicName',
    arn: arnIn('sns'),
    refIsArn: true,
    attributes: (name, arn) => ({ TopicName: name, TopicArn: arn }),
  },
  'AWS::SNS::TopicPolicy': {},
  'AWS::SNS::Subscription': {},
  'AWS::KMS::Key': { arn: arnIn('kms', 'key/'), attributes: (name) => ({ KeyId: name }) },
  'AWS::KMS::Alias': { name: 'AliasName' },
  'AWS::SecretsManager::ResourcePolicy': {},
  'AWS::Lambda::Permission': {},
  'AWS::Logs::LogGroup': { name: 'LogGroupName', arn: arnIn('logs', 'log-group:') },
  'AWS::Logs::MetricFilter': {},
  'AWS::Logs::QueryDefinition': {},
  'AWS::CloudWatch::Alarm': { name: 'AlarmName', arn: arnIn('cloudwatch', 'alarm:') },
  'AWS::CloudWatch::CompositeAlarm': { name: 'AlarmName', arn: arnIn('cloudwatch', 'alarm:') },
  'AWS::CloudWatch::Dashboard': { name: 'DashboardName' },
  'AWS::Scheduler::ScheduleGroup': { name: 'Name', arn: arnIn('scheduler', 'schedule-group/') },
};

/** Types without local effect, and how each is created: only its names are made. */
export const WITHOUT_EFFECT: Readonly<Record<string, Create>> = {
  ...Object.fromEntries(Object.entries(SHAPES).map(([type, shape]) => [type, createNamed(shape)])),
  'AWS::Lambda::Version': ({ properties }, world) => {
    const target = String(properties['FunctionName']);
    const name = target.startsWith('arn:') ? target.split(':')[6] : target;
    const ref = `arn:aws:lambda:${world.region}:${world.accountId}:function:${name}:1`;
    return { ref, attributes: { Version: '1', FunctionArn: ref } };
  },
};

function createNamed(shape: Shape): Create {
  return ({ properties, logicalId, type }, world): Created => {
    const declared = shape.name === undefined ? undefined : text(properties, shape.name);
    const generated = type === 'AWS::KMS::Key' ? generatedUuid : generatedName;
    const name = declared ?? generated(world.stackName, logicalId);
    if (shape.arn === undefined) return { ref: name, attributes: {} };
    const arn = shape.arn(name, world);
    return { ref: shape.refIsArn ? arn : name, attributes: { Arn: arn, ...shape.attributes?.(name, arn) } };
  };
}

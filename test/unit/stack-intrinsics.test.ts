// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how CloudFormation writes Fn::Sub.
import { describe, expect, test } from 'vitest';
import { holds, resolve, type Scope } from '../../local/stack/intrinsics.ts';
import { creationOrder } from '../../local/stack/order.ts';
import { parseTemplate, type Template } from '../../local/stack/template.ts';

const DOCUMENT = {
  Parameters: { Stage: { Type: 'String', Default: 'dev' }, Owner: { Type: 'String' } },
  Mappings: { Sizes: { dev: { memory: 512 } } },
  Conditions: {
    IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
    IsProd: { 'Fn::Not': [{ Condition: 'IsDev' }] },
    Both: { 'Fn::And': [{ Condition: 'IsDev' }, { Condition: 'IsProd' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsDev' }, { Condition: 'IsProd' }] },
  },
  Resources: {
    Queue: { Type: 'AWS::SQS::Queue' },
    Prod: { Type: 'AWS::SQS::Queue', Condition: 'IsProd' },
  },
};

const scopeOf = (template: Template): Scope => ({
  template,
  pseudo: { 'AWS::Region': 'eu-central-1', 'AWS::AccountId': '111122223333', 'AWS::Partition': 'aws' },
  ref: (id) => `ref(${id})`,
  attribute: (id, name) => `att(${id},${name})`,
});
const scope = scopeOf(parseTemplate(DOCUMENT));

describe('intrinsic functions', () => {
  test.each([
    ['Ref to a resource', { Ref: 'Queue' }, 'ref(Queue)'],
    ['Ref to a parameter with a default', { Ref: 'Stage' }, 'dev'],
    ['Ref to a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'att(Queue,Arn)'],
    ['GetAtt as a text', { 'Fn::GetAtt': 'Queue.Arn' }, 'att(Queue,Arn)'],
    [
      'Sub with references, attributes and a literal',
      { 'Fn::Sub': 'a-${Stage}-${Queue.Arn}-${!Kept}' },
      'a-dev-att(Queue,Arn)-${Kept}',
    ],
    [
      'Sub with variables of its own',
      { 'Fn::Sub': ['${Own}:${AWS::AccountId}', { Own: { Ref: 'Queue' } }] },
      'ref(Queue):111122223333',
    ],
    ['Join', { 'Fn::Join': [':', ['arn', { Ref: 'AWS::Partition' }, 's3']] }, 'arn:aws:s3'],
    ['Select of a Split', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['If', { 'Fn::If': ['IsDev', 'small', 'large'] }, 'small'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, 512],
  ])('%s', (_, value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  test('a property set to NoValue disappears, in objects and in lists', () => {
    const nothing = { 'Fn::If': ['IsProd', 'x', { Ref: 'AWS::NoValue' }] };
    expect(resolve({ keep: 1, drop: nothing, list: ['a', nothing] }, scope)).toEqual({ keep: 1, list: ['a'] });
  });

  test.each([
    ['IsDev', true],
    ['IsProd', false],
    ['Both', false],
    ['Either', true],
  ])('condition %s is %s', (name, expected) => {
    expect(holds(name, scope)).toBe(expected);
  });

  test.each([
    ['an unknown function', { 'Fn::ImportValue': 'other' }, /Fn::ImportValue is not supported/],
    ['a parameter without default', { Ref: 'Owner' }, /parameter Owner has no Default/],
    ['a dynamic reference', '{{resolve:ssm:/x}}', /dynamic references/],
    ['an index outside the list', { 'Fn::Select': [3, ['a']] }, /item 3 of a list of 1/],
    ['an unknown condition', { 'Fn::If': ['Nope', 1, 2] }, /no condition Nope/],
  ])('%s is refused', (_, value, message) => {
    expect(() => resolve(value, scope)).toThrow(message);
  });
});

describe('creation order', () => {
  const orderOf = (Resources: Record<string, object>, Conditions = {}) => {
    const template = parseTemplate({ Resources, Conditions });
    return creationOrder(template, scopeOf(template));
  };
  const queue = (properties: object = {}, extra: object = {}) => ({
    Type: 'AWS::SQS::Queue',
    Properties: properties,
    ...extra,
  });

  test('a resource comes after everything it refers to, by Ref, GetAtt, Sub and DependsOn', () => {
    const order = orderOf({
      A: queue({ x: { 'Fn::Sub': 'arn:${B.Arn}' } }),
      B: queue({ x: [{ Ref: 'C' }] }),
      C: queue({ x: { 'Fn::GetAtt': ['D', 'Arn'] } }),
      D: queue({}, { DependsOn: 'E' }),
      E: queue(),
    });
    expect(order).toEqual(['E', 'D', 'C', 'B', 'A']);
  });

  test('queues come before the buckets that name them by a literal ARN', () => {
    expect(orderOf({ Bucket: { Type: 'AWS::S3::Bucket' }, Queue: queue() })).toEqual(['Queue', 'Bucket']);
  });

  test('a resource whose condition is false is left out, and so is the branch that would need it', () => {
    const order = orderOf(
      {
        Off: queue({}, { Condition: 'Never' }),
        On: queue({ x: { 'Fn::If': ['Never', { Ref: 'Off' }, 'none'] } }, { DependsOn: ['Off'] }),
      },
      { Never: { 'Fn::Equals': ['a', 'b'] } },
    );
    expect(order).toEqual(['On']);
  });

  test('a circular reference is refused with its path', () => {
    expect(() => orderOf({ A: queue({ x: { Ref: 'B' } }), B: queue({ x: { Ref: 'A' } }) })).toThrow('A -> B -> A');
  });

  test('a reference to nothing is refused', () => {
    expect(() => orderOf({ A: queue({ x: { Ref: 'Gone' } }) })).toThrow('A refers to Gone, which does not exist');
    expect(() => orderOf({ A: queue({}, { DependsOn: 'Gone' }) })).toThrow('A depends on Gone, which does not exist');
  });

  test('a section that would change what is created is refused', () => {
    expect(() => parseTemplate({ Transform: 'AWS::Serverless-2016-10-31' })).toThrow('section Transform');
  });
});

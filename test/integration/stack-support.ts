/** A small packaged stack as `sls package` leaves it: a template and a zip for each function. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { bootCloud, type Cloud, type CloudOptions } from '../../local/stack/boot.ts';

export type Resources = Record<string, { Type: string; Properties?: object; DependsOn?: string | string[] }>;

/** A function resource with its package named after it, as the Serverless Framework writes both. */
export function functionResource(name: string, properties: object = {}): Resources[string] {
  return {
    Type: 'AWS::Lambda::Function',
    DependsOn: ['Role'],
    Properties: {
      FunctionName: `firn-dev-${name}`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      MemorySize: 256,
      Timeout: 60,
      Architectures: ['arm64'],
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      Code: { S3Bucket: { Ref: 'DeploymentBucket' }, S3Key: `serverless/firn/dev/1/${name}.zip` },
      ...properties,
    },
  };
}

/** What every stack of the Serverless Framework has, whatever is in it. */
const BASIS: Resources = {
  DeploymentBucket: { Type: 'AWS::S3::Bucket', Properties: { BucketEncryption: {} } },
  Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } },
};

/** Packages and boots stacks, and takes them down again. */
export function createStacks() {
  const root = mkdtempSync(join(tmpdir(), 'firn-stack-'));
  const clouds: Cloud[] = [];
  let stacks = 0;
  return {
    root,
    async boot(
      resources: Resources,
      functions: Record<string, string> = {},
      options: Partial<CloudOptions> = {},
      outputs: object = {},
    ): Promise<Cloud> {
      stacks += 1;
      const packageDir = join(root, `package-${stacks}`);
      mkdirSync(packageDir);
      const template = {
        AWSTemplateFormatVersion: '2010-09-09',
        Resources: { ...BASIS, ...resources },
        Outputs: outputs,
      };
      writeFileSync(join(packageDir, 'cloudformation-template-update-stack.json'), JSON.stringify(template));
      for (const [name, source] of Object.entries(functions)) {
        writeFileSync(join(packageDir, `${name}.zip`), zipSync({ 'index.mjs': strToU8(source) }));
      }
      const cloud = await bootCloud({
        packageDir,
        dataDir: join(root, `data-${stacks}`),
        schedules: false,
        ...options,
      });
      clouds.push(cloud);
      return cloud;
    },
    async close() {
      await Promise.all(clouds.splice(0).map((cloud) => cloud.close()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

import { generatedName } from '../names.ts';
import { refuse, refuseUnknown, text } from '../properties.ts';
import type { Create } from '../world.ts';

const KNOWN = {
  used: ['Name', 'SecretString', 'GenerateSecretString'],
  ignored: ['Description', 'KmsKeyId', 'ReplicaRegions', 'Tags'],
};

/**
 * AWS::SecretsManager::Secret. Its value is the one the embedded cloud was given under this name, else the template's.
 * A secret with neither exists without a value, as one that somebody fills in after the deployment.
 */
export const createSecret: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  if (properties['GenerateSecretString'] !== undefined) {
    refuse('GenerateSecretString is not supported in the embedded cloud; pass a value in `secrets`');
  }
  const name = text(properties, 'Name') ?? generatedName(world.stackName, logicalId);
  const value = text(properties, 'SecretString');
  const values = world.services.secretValues;
  if (value !== undefined) values[name] ??= value;
  // Secrets Manager ends an ARN with six characters of its own. What rotates the value under the name rotates this too.
  const arn = `arn:aws:secretsmanager:${world.region}:${world.accountId}:secret:${name}-000000`;
  Object.defineProperty(values, arn, { enumerable: true, configurable: true, get: () => values[name] });
  return { ref: arn, attributes: { Id: arn } };
};

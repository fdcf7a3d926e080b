import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The text of a secret. Throws when it has none: Firn's secrets are JSON or PEM text. */
export async function readSecret(secretId: string): Promise<string> {
  const found = await new SecretsManagerClient({}).send(new GetSecretValueCommand({ SecretId: secretId }));
  if (found.SecretString === undefined) {
    throw new Error(`Reading the secret ${secretId} failed: it holds no text. Store the private key as text.`);
  }
  return found.SecretString;
}

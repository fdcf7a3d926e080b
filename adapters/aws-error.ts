/** What is known of an error that an AWS SDK client threw, whatever its class: bundles hold the SDK more than once. */
export function errorName(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
}

export function httpStatus(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata;
  return metadata?.httpStatusCode;
}

/** The object, version or bucket is not there. HeadObject has no body, so its error has only a status. */
export function isMissing(error: unknown): boolean {
  return httpStatus(error) === 404 || ['NoSuchKey', 'NotFound', 'NoSuchVersion'].includes(errorName(error));
}

/** The object or version is not there, by the error's own name: other things may be missing that are no data. */
export function isMissingObject(error: unknown): boolean {
  return errorName(error) === 'NoSuchKey' || errorName(error) === 'NoSuchVersion';
}

/** A condition of the request did not hold (S3's 412). */
export function isPreconditionFailed(error: unknown): boolean {
  return httpStatus(error) === 412 || errorName(error) === 'PreconditionFailed';
}

/** Another conditional write of the same key was under way (S3's 409): the whole request may be tried again. */
export function isConflict(error: unknown): boolean {
  return errorName(error) === 'ConditionalRequestConflict';
}

/** The object lies in an archive tier and has to be restored before it can be read: CopyObject has a name of its own for it. */
export function isArchived(error: unknown): boolean {
  return errorName(error) === 'InvalidObjectState' || errorName(error) === 'ObjectNotInActiveTierError';
}

/** The service asks for less: worth trying again after a pause. */
export function isThrottling(error: unknown): boolean {
  const name = errorName(error);
  return /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|SlowDown|TooManyRequests/.test(name);
}

const denials = /^(AccessDenied|AccessDeniedException|AllAccessDisabled|Forbidden|403|Unknown|UnknownError)$/;

/** The caller may not do this, for now: HeadObject's error has only its status. Objects to be restored are no such case. */
export function isAccessDenied(error: unknown): boolean {
  return httpStatus(error) === 403 && denials.test(errorName(error));
}

/** Temporary credentials that are over. HeadObject's error has only a status, the one of any bad request. */
export function isExpiredToken(error: unknown): boolean {
  if (/^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|InvalidToken)$/.test(errorName(error))) return true;
  return httpStatus(error) === 400 && /^(BadRequest|400|Unknown|UnknownError)$/.test(errorName(error));
}

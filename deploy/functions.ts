/** The functions of the stack in the order data flows; each is `handlers/<name>.ts`, exporting `<name>Handler`. */
export const functionNames = ['copy', 'poll', 'unpack', 'normalize', 'export', 'reconcile'] as const;

export type FunctionName = (typeof functionNames)[number];

/** Changes that no case can notice, by the rule and the change, each with why. */
export const equivalent: ReadonlyMap<string, string> = new Map([]);

/** Where the bridge says what happens; the command line prints it. */
export type Log = (level: 'info' | 'warn' | 'error', text: string) => void;

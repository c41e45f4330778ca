/** What IBM's servers are for, in the white paper's words. Only configuration updates know port 80 (S72). */
export const purposes = ['problem_reporting', 'service_information', 'extended_error_data', 'configuration_updates'] as const;
export type Purpose = (typeof purposes)[number];

/** What travels. Each connection may be kept to some of it. */
export const traffics = ['events', 'uploads', 'downloads', 'telemetry'] as const;
export type Traffic = (typeof traffics)[number];

export const trafficOf: Record<Purpose, Traffic> = {
	problem_reporting: 'events',
	service_information: 'events',
	extended_error_data: 'uploads',
	configuration_updates: 'downloads',
};

/** One connect point. It is reached by its name; the addresses are for sites without DNS, and for those who read firewalls. */
export type Server = {
	readonly host: string;
	/** 443 first. */
	readonly ports: readonly number[];
	/** As published: they change (S70). */
	readonly addresses: readonly string[];
	/** What is asked for there, such as `/connect/api/v1`. */
	readonly path: string;
};

/** Where one kind of message goes. */
export type Destination = {
	readonly purpose: Purpose;
	/** Which list it is from: today's, that of the white paper of 2015, the configuration's own, or that of a signed update. */
	readonly generation: 'today' | 'white_paper_2015' | 'configured' | 'updated';
	/** The primary connect point, then its backups (S44). */
	readonly servers: readonly Server[];
};

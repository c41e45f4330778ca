import type {MetricDefinition} from './telemetry.ts';

/** What is told of the monitored systems, and of what the bridge stands on. */
export const systemMetrics = {
	heldProblems: {
		name: 'callhome.problems.held',
		instrument: 'updowncounter',
		unit: '{problem}',
		description: 'Problems that wait, by why they are held.',
	},
	systems: {
		name: 'callhome.systems',
		instrument: 'updowncounter',
		unit: '{system}',
		description:
			'Systems that the configuration names, by what became of their last heartbeats: answered, missed, never answered.',
	},
	systemsRead: {
		name: 'callhome.systems.read',
		instrument: 'updowncounter',
		unit: '{system}',
		description: 'Systems whose hardware is read now.',
	},
	systemProblems: {
		name: 'callhome.system.problems',
		instrument: 'updowncounter',
		unit: '{problem}',
		description: 'Problems of each monitored system that are not closed, by state. Tests do not count.',
	},
	systemHeartbeat: {
		name: 'callhome.system.heartbeat.last_success.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time of the last acknowledged heartbeat of each monitored system; absent before the first.',
	},
	systemInventory: {
		name: 'callhome.system.inventory.last_success.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time of the last acknowledged inventory of each monitored system; absent before the first.',
	},
	systemInventoryDue: {
		name: 'callhome.system.inventory.due.timestamp',
		instrument: 'gauge',
		unit: 's',
		description:
			'Unix time at which the next inventory of a system is to be acknowledged: long past means stale. Absent for a system of which none can be collected or may leave.',
	},
	storeSize: {
		name: 'callhome.store.size',
		instrument: 'updowncounter',
		unit: 'By',
		description: 'Bytes that the store takes on its disk, with its write-ahead log.',
	},
	storeAvailable: {
		name: 'callhome.store.available',
		instrument: 'updowncounter',
		unit: 'By',
		description: 'Bytes by which the store may still grow: what is free on its disk, or up to store.max_size if that is less.',
	},
	clockTime: {
		name: 'callhome.clock.time',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time by the clock of the bridge: compared with the time of the scrape it shows a clock that is off.',
	},
} as const satisfies Record<string, MetricDefinition>;

export const systemAttributes = {
	holdReason: 'callhome.hold.reason',
	heartbeatState: 'callhome.heartbeat.state',
	hostName: 'host.name',
	systemType: 'callhome.system.type',
	systemModel: 'callhome.system.model',
	systemSerialNumber: 'callhome.system.serial_number',
} as const;

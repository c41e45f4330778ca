import type {Attributes} from './event.ts';

/** A part of a machine, in the words of the semantic conventions where they have one. What is not known is left out. */
export type InventoryPart = {
	/** `hw.type` where there is one, or `firmware`, `pci_device`, `usb_device`, `system_board`. */
	readonly type: string;
	/** Unique within the machine and the type, the same at each collection. */
	readonly id: string;
	readonly name?: string;
	readonly vendor?: string;
	readonly model?: string;
	/** What the maker orders it by. */
	readonly partNumber?: string;
	/** What IBM and Lenovo order a field replaceable unit by. */
	readonly fruNumber?: string;
	readonly serialNumber?: string;
	/** Of its firmware, or of itself when it is firmware. */
	readonly version?: string;
	readonly location?: string;
	/** Bytes of memory or of a disk. */
	readonly size?: number;
	/** Further properties of its kind, such as `cores`, `speed_mhz`, `media`. */
	readonly properties?: Readonly<Record<string, string | number | boolean>>;
};

export type NetworkInterface = {
	readonly name: string;
	readonly macAddress?: string;
	readonly addresses: readonly string[];
	/** Megabits a second. */
	readonly speed?: number;
	readonly state?: string;
};

/** What a machine consists of, at one moment. */
export type Inventory = {
	/** Unix milliseconds. */
	readonly collectedAt: number;
	/** Who found it: `host`, `redfish`, `snmp`. */
	readonly source: string;
	readonly machine: {
		readonly vendor?: string;
		readonly product?: string;
		readonly serialNumber?: string;
		readonly uuid?: string;
		/** `physical` or `virtual`. */
		readonly kind?: string;
	};
	readonly parts: readonly InventoryPart[];
	readonly operatingSystem?: {
		readonly name: string;
		readonly version?: string;
		readonly kernel?: string;
		readonly architecture?: string;
	};
	/** Only where `service_information.inventory.include` names it. */
	readonly network?: readonly NetworkInterface[];
	/** Only where `service_information.inventory.include` names it. */
	readonly packages?: readonly {readonly name: string; readonly version: string}[];
	/** What could not be read, and why: one line each, never a secret. */
	readonly faults: readonly string[];
};

/** What may be told of a machine, as the operator consents to it. */
export const inventorySections = ['hardware', 'firmware', 'operating_system', 'network', 'packages'] as const;
export type InventorySection = (typeof inventorySections)[number];

/** An inventory, and the attributes by which its machine is found under `systems`. */
export type Collected = {readonly resource: Attributes; readonly inventory: Inventory};

/** Somebody who can look into machines, each time anew. It holds nothing open between two calls. */
export type InventorySource = {
	/** `host`, `redfish`, `snmp`. */
	readonly source: string;
	/** A host or an address; the empty text is this machine. */
	readonly target: string;
	/**
	One entry for each machine behind the target. Rejects with a BridgeError that names the target when nothing could be read;
	a refused login is told by its code, and is not to be tried again without a person.
	*/
	collect(sections: ReadonlySet<InventorySection>, signal: AbortSignal): Promise<readonly Collected[]>;
};

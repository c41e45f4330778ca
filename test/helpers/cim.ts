/** An export message as a management module sends it; a property that is undefined is left out. */
export function indicationXml(
	properties: Readonly<Record<string, string | readonly string[] | undefined>>,
	className = 'CIM_AlertIndication',
): string {
	const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
	const written = Object.entries(properties).map(([name, value]) => {
		if (value === undefined) return '';
		if (typeof value === 'string') return `<PROPERTY NAME="${name}" TYPE="string"><VALUE>${escaped(value)}</VALUE></PROPERTY>`;
		const values = value.map(each => `<VALUE>${escaped(each)}</VALUE>`).join('');
		return `<PROPERTY.ARRAY NAME="${name}" TYPE="string"><VALUE.ARRAY>${values}</VALUE.ARRAY></PROPERTY.ARRAY>`;
	});
	return (
		'<?xml version="1.0" encoding="utf-8"?><CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="4711" PROTOCOLVERSION="1.0"><SIMPLEEXPREQ>' +
		'<EXPMETHODCALL NAME="ExportIndication"><EXPPARAMVALUE NAME="NewIndication">' +
		`<INSTANCE CLASSNAME="${className}">${written.join('')}</INSTANCE></EXPPARAMVALUE></EXPMETHODCALL></SIMPLEEXPREQ></MESSAGE></CIM>`
	);
}

export const exportHeaders = {
	'Content-Type': 'application/xml; charset="utf-8"',
	CIMExport: 'MethodRequest',
	CIMExportMethod: 'ExportIndication',
	CIMProtocolVersion: '1.0',
};

export const send = (
	url: URL,
	body: string | Uint8Array<ArrayBuffer>,
	headers: Readonly<Record<string, string>> = {},
): Promise<Response> => fetch(url, {method: 'POST', headers: {...exportHeaders, ...headers}, body});

export const memoryFault = {
	EventID: '0x806F010C20010000',
	MessageID: 'PLAT0138',
	OwningEntity: 'DMTF',
	Message: 'Uncorrectable error detected for "DIMM 8" on Subsystem "System Memory".',
	MessageArguments: ['DIMM 8', 'System Memory'],
	AlertingManagedElement: '//imm/root/cimv2:CIM_PhysicalMemory.CreationClassName="CIM_PhysicalMemory",Tag="DIMM 8"',
	PerceivedSeverity: '6',
	EventTime: '20261101100000.000000+060',
	SystemName: 'imm.example',
};

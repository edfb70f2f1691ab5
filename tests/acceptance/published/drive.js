// Stands behind the published class: uses each of its methods and prints what each returned.
const [url, id, secret] = process.argv.slice(2);

async function drive() {
  const said = {};
  const client = new ZautoAIClient(id, secret, url);
  said.token = await client.authenticate();
  said.patient = await client.createPatient({
    id: 'node-1', uhid: 4711, fullName: 'Meera Iyer', phoneNumber: '+919812345678',
  });
  said.visit = await client.createPatientVisit({
    id: 'node-v1', patientId: 'node-1', visitDateTime: new Date().toISOString(),
  });
  said.listed = await client.getPatients();
  said.found = await client.getPatients(1, 5, 'MEERA');
  said.refused = await client.createPatient({ id: 'node-2' }).catch((error) => error.response.data);
  said.stranger = await new ZautoAIClient(id, 'wrong', url).authenticate().catch(String);
  return said;
}

// its timer for a token's renewal would keep the program alive for an hour
drive().then(
  (said) => { console.log(JSON.stringify(said)); process.exit(0); },
  (error) => { console.error(error); process.exit(1); },
);

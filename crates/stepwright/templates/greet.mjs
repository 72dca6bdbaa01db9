export async function handler(event) {
  console.log("greeting", event.name);
  return { greeting: `Hello, ${event.name}!` };
}

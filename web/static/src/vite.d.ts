/** What vite makes of imports that name it. */
declare module '*?worker&url' {
  const address: string;
  export default address;
}

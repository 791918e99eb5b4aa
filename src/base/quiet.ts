/** Keeps ONNX Runtime from telling its makers of each run: imported before its native code is loaded. */

// Else each process leaves a device id in the home folder and looks up a host for telemetry, also when offline. Who has
// set the variable himself is obeyed. A worker thread has a copy of the environment, which native code does not see:
// the main thread sets it, with the library's entry or the command's.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

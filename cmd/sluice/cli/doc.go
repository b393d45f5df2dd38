// Package cli is the part of the sluice command that asks a running Sluice: a file for each verb. What a verb has found goes to
// standard output, as a table or as the API's JSON; everything else to standard error. The exit code tells the outcome.
package cli

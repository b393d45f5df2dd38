// Package apikey is the contract between the command, which makes API keys, and the API, which asks for them: what a key looks
// like, what is stored of it, and what it may.
package apikey

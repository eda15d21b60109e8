// Command sallyport is the server and its admin tools.
package main

func main() {}

# Runs the model in a folder under mrgsolve; each line on standard input is: relative tolerance, absolute one, file.
suppressMessages(library(mrgsolve))
folder <- commandArgs(TRUE)[1]
at <- function(name) file.path(folder, name)
doubles <- function(name) readBin(at(name), "double", file.info(at(name))$size / 8)

model <- mread(at("model.cpp"), soloc = folder, quiet = TRUE)
names <- readLines(at("names.txt"))
men <- as.data.frame(matrix(doubles("idata.bin"), ncol = length(names), byrow = TRUE))
colnames(men) <- names
doses <- as.ev(transform(read.csv(at("events.csv")), evid = 1))
times <- doubles("times.bin")
cat("ready\n")

lines <- file("stdin", "r")
while (length(line <- readLines(lines, 1)) == 1) {
  asked <- strsplit(line, " ")[[1]]
  now <- update(model, rtol = as.numeric(asked[1]), atol = as.numeric(asked[2]), maxsteps = 1000000)
  begun <- proc.time()[[3]]
  found <- mrgsim_ei(now, doses, men, tgrid = times, obsonly = TRUE, output = "df")
  seconds <- proc.time()[[3]] - begun
  states <- t(as.matrix(found[, grep("^S[0-9]+$", colnames(found))]))
  writeBin(as.vector(states), asked[3])
  cat("done", seconds, "\n")
}

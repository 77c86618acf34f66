package job

import (
	"slices"
	"strings"
)

// parentHeader begins the names of a task's headers that hold parents; a case's follows after a slash.
const parentHeader = "traceparent"

// headers are those of the job's task; none without parents.
func (j Job) headers() map[string]string {
	if len(j.Parents) == 0 {
		return nil
	}
	out := make(map[string]string, len(j.Parents))
	for name, parent := range j.Parents {
		if name != "" {
			name = "/" + name
		}
		out[parentHeader+name] = parent
	}
	return out
}

// Parents reads what a task's headers hold of Job.Parents; nil when they hold none.
func Parents(headers map[string]string) map[string]string {
	var out map[string]string
	for header, parent := range headers {
		name, ok := strings.CutPrefix(header, parentHeader)
		if name, of := strings.CutPrefix(name, "/"); ok && of == (name != "") {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = parent
		}
	}
	return out
}

// Under gives the jobs their parents: to each those of its own cases. With no parents it gives the jobs back as they are.
func Under(jobs []Job, parents map[string]string) []Job {
	if len(parents) == 0 {
		return jobs
	}
	jobs = slices.Clone(jobs)
	for i := range jobs {
		args, err := Decode(jobs[i].Payload)
		if err != nil {
			continue
		}
		own := map[string]string{}
		for _, id := range append(slices.Clip(args.IDs), "") {
			if parent, ok := parents[id]; ok {
				own[id] = parent
			}
		}
		jobs[i].Parents = own
	}
	return jobs
}
